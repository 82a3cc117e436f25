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

# As a shell has it for a process that the signal has ended.
_TERMINATED = 128 + signal.SIGTERM


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
    """Let SIGTERM raise SystemExit within the block, so that what is under way is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are none of its business
        return

    def end(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
