"""Measuring against a server of asyncio streams, which knows what was asked when."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flasync.toolkit.measuring import measure

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Gate:
    """A server that answers the baseline at once, and the rest when `count` have come in."""

    def __init__(self, free: int, count: int) -> None:
        """Answer `free` requests at once, later ones in groups of `count`."""
        self.free, self.count = free, count
        self.events: list[str] = []
        self.waiting = 0
        self.full = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self._wait()
                writer.write(ANSWER)
        except asyncio.IncompleteReadError:
            writer.close()

    async def _wait(self) -> None:
        self.events.append("asked")
        if self.free:
            self.free -= 1
            self.events.append("answered")
            return
        self.waiting += 1
        if self.waiting == self.count:
            self.full.set()
        await self.full.wait()
        self.events.append("answered")


@contextmanager
def open_gate(free: int, count: int) -> Iterator[tuple[Gate, str]]:
    """A gate in a thread of its own, and its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[Gate, asyncio.Server]:
        gate = Gate(free, count)
        return gate, await asyncio.start_server(gate.answer, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)

    gate, server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield gate, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_requests_are_sent_at_once() -> None:
    """All requests are on the way before one is answered, after a warm-up and a baseline."""
    with open_gate(free=4, count=12) as (gate, url):
        measurement = measure(url, 12, timeout_s=60)
    assert gate.events[:8] == ["asked", "answered"] * 4
    assert gate.events[8:] == ["asked"] * 12 + ["answered"] * 12
    assert [sample.status for sample in measurement.samples] == [200] * 12
    assert len(measurement.baseline) == 3


def test_durations_are_inside_the_wall_time() -> None:
    """No request of a group is longer than the group."""
    with open_gate(free=4, count=5) as (_, url):
        measurement = measure(url, 5, timeout_s=60)
    for sample in measurement.samples:
        assert 0 <= sample.start_ms < sample.end_ms
        assert sample.duration_ms <= measurement.wall_ms


def test_timeouts_are_failures() -> None:
    """A request that is not answered in time is a sample without a status, with its reason."""
    with open_gate(free=4, count=2) as (gate, url):
        gate.count = 3  # One more than will come: the two wait in vain.
        measurement = measure(url, 2, timeout_s=1)  # within which a busy machine can connect
        gate.full._loop.call_soon_threadsafe(gate.full.set)  # type: ignore[attr-defined]
    assert [sample.status for sample in measurement.samples] == [None, None]
    assert [sample.failure for sample in measurement.samples] == ["ReadTimeout"] * 2


def test_nothing_listens() -> None:
    """Where nothing listens, the baseline and all requests are failures; nothing is raised."""
    measurement = measure("http://127.0.0.1:9/", 2, timeout_s=5)
    failures = {sample.failure for sample in (*measurement.baseline, *measurement.samples)}
    assert failures == {"ConnectError: All connection attempts failed"}


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app on loopback is asked directly, whatever proxy the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with open_gate(free=6, count=1) as (_, url):
        assert measure(url, 2, timeout_s=60).samples[0].status == 200
