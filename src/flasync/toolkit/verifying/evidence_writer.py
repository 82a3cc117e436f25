"""The thread that writes the evidence file, when it is told that there is time for it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable

Line = Callable[[], str]


class EvidenceWriter:
    """Appends lines to a file, to which other processes may append as well.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lines: deque[Line] = deque()
        self._told = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(
            target=self._run, name="flasync-witness-writer", daemon=True
        )
        self._thread.start()

    def put(self, line: Line) -> None:
        """Have a line built and written at the next `write`. Runs in: any thread."""
        self._lines.append(line)

    def write(self) -> None:
        """Have all lines written that there are, without waiting for it. Runs in: any thread."""
        if self._lines and not self._told.is_set():
            self._told.set()

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._is_closing = True
        self._told.set()
        self._thread.join()
        os.close(self._file)

    def _run(self) -> None:
        while not self._is_closing:
            self._told.wait()
            self._told.clear()
            while self._lines:
                self._write(self._lines.popleft()().encode())

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._file, line) :]
