"""The evidence file, as the served process writes it."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable

Line = Callable[[], str]

_log = logging.getLogger("flasync")

# Lines that are written at a time: a few milliseconds of the interpreter's.
_MOST_LINES = 32


class EvidenceFile:
    """A file to which lines are appended when there is time; other processes may do the same.

    Args:
        path: Where it is, or will be.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lines: deque[Line] = deque()
        self._writing = threading.Lock()

    def put(self, line: Line) -> None:
        """Have a line built and written some time. Runs in: any thread."""
        self._lines.append(line)

    def write_some(self) -> bool:
        """Write some of the lines; return whether there are more. Runs in: any thread."""
        with self._writing:
            count = min(len(self._lines), _MOST_LINES)
            text = "".join(_build(self._lines.popleft()) for _ in range(count))
            if text:
                self._write(text.encode())
        return bool(self._lines)

    def _write(self, lines: bytes) -> None:
        """Write lines; a full disk must end neither the app nor the thread that looks at it."""
        try:
            # All of it goes into a file at once, and among no other process's.
            os.write(self._file, lines)
        except OSError:
            _log.exception("The evidence of flasync verify could not be written.")

    def write_all(self) -> None:
        """Write what is left, at the end of the process."""
        while self.write_some():
            pass


def _build(line: Line) -> str:
    """Return a line; one that cannot be built takes no other with it."""
    try:
        return line()
    except Exception:
        _log.exception("A line of the evidence of flasync verify could not be built.")
        return ""
