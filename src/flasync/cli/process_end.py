"""How a command ends that has imported an app, or is told to end in the middle of its work."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import click

# By which others end a command: `kill`, a stopped job in CI, a terminal that is closed.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

# A shell has it and the signal's number for a process that a signal has ended.
_BY_SIGNAL = 128


def end_if_threads_stay(code: int) -> None:
    """End the process here when threads that the app started at import would keep it alive.

    Some apps start workers that never end. Python waits for them before it exits, so that a command
    in CI would hang with its work done.
    """
    main = threading.main_thread()
    staying = [item for item in threading.enumerate() if item is not main and not item.daemon]
    if threading.current_thread() is main and staying:
        names = ", ".join(sorted(repr(item.name) for item in staying))
        click.echo(f"Ended threads that importing the app has started: {names}.", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextlib.contextmanager
def terminated_by_exception() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit within the block, so that it is cleaned up.

    A signal that is ignored stays so: `nohup` has ignored SIGHUP for the command.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are none of its business
        return

    def end(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(_BY_SIGNAL + signum)

    before = {
        signum: signal.signal(signum, end)
        for signum in _ENDING
        if signal.getsignal(signum) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
