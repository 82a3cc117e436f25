"""Tests of flasync.stalls: the request that holds the loop is named, with its line."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator

import pytest

import flasync
from flasync import stalls
from flasync.bridge import await_, drive
from flasync.stalls import Stall, StallMonitor, log_stall, unwatch_loop, watch_loop

THRESHOLD_S = 0.05


@pytest.fixture
def reports() -> list[Stall]:
    return []


@pytest.fixture
def monitor_loop(reports: list[Stall]) -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:

        async def start() -> None:
            watch_loop(THRESHOLD_S, reports.append)

        async def stop() -> None:
            unwatch_loop()

        runner.run(start())
        yield runner
        runner.run(stop())


def block_here() -> None:
    # What is looked for, not a wait; the watchdog has ten chances to look, also on a busy machine.
    time.sleep(THRESHOLD_S * 10)


async def run(function: object) -> None:
    await drive(function)  # type: ignore[arg-type]


def test_a_stall_is_reported_with_its_line(
    monitor_loop: asyncio.Runner, reports: list[Stall]
) -> None:
    """A stretch past the threshold is reported once, with the line of the user's code."""
    monitor_loop.run(run(block_here))
    (stall,) = reports
    assert stall.has_ended
    assert stall.held_ms >= THRESHOLD_S * 1000
    assert "test_stalls.py" in stall.user_frame
    assert stall.user_frame.endswith("in block_here")


def test_only_the_stretch_that_held_the_loop_counts(
    monitor_loop: asyncio.Runner, reports: list[Stall]
) -> None:
    """A request that waits for long without holding the loop is no stall."""
    wait_s = THRESHOLD_S * 10

    def wait() -> None:
        await_(asyncio.sleep(wait_s))

    monitor_loop.run(run(wait))
    # A busy machine may stop the thread for longer than the threshold, before or after the wait.
    assert all(stall.held_ms < wait_s * 1000 for stall in reports)


def test_a_stall_that_does_not_end_is_reported(
    monitor_loop: asyncio.Runner, reports: list[Stall], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stretch that goes on and on is reported while it does: a deadlock never ends."""
    monkeypatch.setattr(stalls, "STILL_RUNNING_S", THRESHOLD_S * 2)
    reported = threading.Event()

    def deadlock() -> None:
        for _ in range(1000):
            if reports:
                reported.set()
                return
            time.sleep(0.01)  # holds the loop until the watchdog has spoken

    monitor_loop.run(run(deadlock))
    assert reported.is_set()
    assert not reports[0].has_ended
    assert "deadlock" in reports[0].user_frame


def test_the_request_is_named(reports: list[Stall]) -> None:
    """The report names the request that held the loop, not one that merely waited."""
    app = flasync.Flask(__name__)
    app.config["STALL_WARNING"] = THRESHOLD_S
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    app.logger.addHandler(Keep())
    begun = asyncio.Event()

    @app.get("/guilty")
    async def guilty() -> str:
        await begun.wait()
        block_here()
        return "guilty"

    @app.get("/innocent")
    async def innocent() -> str:
        begun.set()
        await asyncio.sleep(0)
        return "innocent"

    async def request(path: str) -> None:
        async def receive() -> dict[str, object]:
            return await asyncio.Event().wait() and {}

        async def send(message: object) -> None:
            pass

        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await app(scope, receive, send)

    async def main() -> None:
        await asyncio.gather(request("/guilty"), request("/innocent"))
        unwatch_loop()

    asyncio.run(main())
    # A busy machine may stop the thread for longer than the threshold at other places, too.
    messages = [text for record in records if "in block_here" in (text := record.getMessage())]
    assert len(messages) == 1
    assert messages[0].startswith("GET /guilty held the event loop for ")


def test_a_place_is_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """A place that stalls again and again does not flood the log; another place still speaks."""
    report = log_stall(logging.getLogger("test"))
    for place in ("a.py:1 in f", "a.py:1 in f", "b.py:2 in g"):
        report(Stall("GET /", 100.0, place, place, has_ended=True))
    assert [record.getMessage().split(" at ")[1].split(";")[0] for record in caplog.records] == [
        "a.py:1 in f",
        "b.py:2 in g",
    ]


def test_the_monitor_ends_with_its_last_app() -> None:
    """Two apps on one loop share a monitor; it ends when the second is served no more."""

    async def main() -> None:
        watch_loop(1, print)
        watch_loop(1, print)
        monitor = stalls.get_monitor()
        assert isinstance(monitor, StallMonitor)
        unwatch_loop()
        assert stalls.get_monitor() is monitor
        unwatch_loop()
        assert stalls.get_monitor() is None

    asyncio.run(main())
