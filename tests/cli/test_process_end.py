"""How a command ends that is told to in the middle of its work."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flasync.cli.process_end import terminated_by_exception

SIGNALS = [signal.SIGTERM, signal.SIGHUP]


@contextmanager
def handled(number: signal.Signals, handler: signal.Handlers) -> Iterator[None]:
    """Have a signal handled so before the command begins."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_block(number: signal.Signals) -> None:
    """What is under way is cleaned up, and the code is that of a shell."""
    events = []
    with handled(number, signal.SIG_DFL):
        with pytest.raises(SystemExit) as ended, terminated_by_exception():
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                events.append("cleaned up")
        assert signal.getsignal(number) is signal.SIG_DFL
    assert (ended.value.code, events) == (128 + number, ["cleaned up"])


@pytest.mark.parametrize("number", SIGNALS)
def test_an_ignored_signal_stays_ignored(number: signal.Signals) -> None:
    """Under `nohup`, or where the caller has said so, the command goes on."""
    with handled(number, signal.SIG_IGN), terminated_by_exception():
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_IGN
