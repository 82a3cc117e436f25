"""Telling a server that was told to stop from one whose workers have failed.

uvicorn and Hypercorn end with 0 in both cases when several workers serve, and a process manager
that restarts what failed would leave them down.
"""

from __future__ import annotations

import signal
import socket
from types import TracebackType
from typing import Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopWitness:
    """Notes, while its context lasts, whether this process gets a stop signal.

    The server's own handlers are left alone: Python writes the number of each signal that it
    handles into the wakeup descriptor, which nothing else uses in a parent without an event loop.
    A forked child would write there too; uvicorn and Hypercorn spawn theirs.

    Runs in: the main thread.
    """

    def __enter__(self) -> Self:
        """Begin to note signals."""
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._previous = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        signal.set_wakeup_fd(self._previous)
        self._reader.close()
        self._writer.close()

    def has_seen_stop(self) -> bool:
        """Return whether SIGINT or SIGTERM has arrived."""
        try:
            numbers = self._reader.recv(4096)
        except BlockingIOError:
            return False
        return any(number in STOP_SIGNALS for number in numbers)
