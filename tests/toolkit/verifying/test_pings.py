"""The pings to a bystander, from their own process, against servers that can be held."""

import asyncio
import threading

import psutil

from flasync.toolkit.verifying.pings import watch
from flasync.toolkit.verifying.run import Request
from flasync.toolkit.verifying.sending import Answer, Exchange, Question, send
from toolkit.verifying.raw_servers import OK, open_answering, open_server

DEADLINE_S = 60


def build_exchange(begun_ms: float, origin_ms: float, wall_ms: float) -> Exchange:
    """A load of one request between two moments."""
    request = Request(0, None, 0, wall_ms, wall_ms, 200)
    return Exchange(begun_ms, origin_ms, (Answer("a", request),))


class Held:
    """A server that answers until it is held, and tells when a ping waits for it."""

    def __init__(self) -> None:
        self.is_held = False
        self.has_ping = threading.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while await reader.readuntil(b"\r\n\r\n"):
            if self.is_held:
                self.has_ping.set()
                await asyncio.Event().wait()
            writer.write(OK)


def test_calm_pings_come_first() -> None:
    """The server is pinged before the load begins, and while it runs, on the load's clock."""
    with open_answering(OK) as (url, requests), watch(f"{url}/here?a=b", (("X-A", "b"),)) as seen:
        load = send(Question("GET", url))
    calm, during = seen.split(load)
    assert len(calm) >= 10
    assert not any(ping.failed for ping in (*calm, *during))
    assert all(ping.start_ms < ping.end_ms < 0 for ping in calm)
    assert all(ping.end_ms > 0 for ping in during)
    assert requests[0].startswith(b"GET /here?a=b HTTP/1.1\r\n")
    assert b"\r\nX-A: b\r\n" in requests[0]


def test_a_login_in_the_url() -> None:
    """What a URL has before its host goes as a header, and into no list of processes."""
    with open_answering(OK) as (url, requests):
        address = url.replace("://", "://eva:s%40@")
        with watch(address, (("Cookie", "a=s3cret"),)) as seen:
            typed = [word for child in psutil.Process().children() for word in child.cmdline()]
    assert not any(failed for _, _, failed in seen.pings[:-1])
    assert b"\r\nAuthorization: Basic ZXZhOnNA\r\n" in requests[0]
    assert b"\r\nHost: eva" not in requests[0]
    assert not any("s3cret" in word or "eva" in word for word in typed)


def test_a_ping_under_way_counts() -> None:
    """A ping that is not answered when the load is over has lasted until then."""
    held = Held()
    with open_server(held.serve) as url, watch(url) as seen:
        held.is_held = True
        assert held.has_ping.wait(DEADLINE_S)
    assert not any(failed for _, _, failed in seen.pings)
    assert seen.pings[-1][0] < seen.pings[-1][1]


def test_pings_by_their_time() -> None:
    """Pings while connections are made are neither calm nor of the load; some reach into it."""
    with open_answering(OK) as (url, _), watch(url) as seen:
        pass
    seen.pings = ((0, 10, False), (90, 110, False), (120, 210, True), (320, 390, False))
    seen.pings += ((410, 420, False),)
    calm, during = seen.split(build_exchange(begun_ms=100, origin_ms=200, wall_ms=200))
    assert [(ping.start_ms, ping.end_ms, ping.failed) for ping in calm] == [(-200, -190, False)]
    assert [ping.start_ms for ping in during] == [-80, 120]
    assert [ping.failed for ping in during] == [True, False]


def test_pings_that_fail() -> None:
    """A server that answers with its own error, or not at all, fails the pings."""
    with (
        open_answering(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n") as (url, _),
        watch(url) as broken,
        watch("http://127.0.0.1:9/") as absent,
    ):
        pass
    # The last of each may have been under way at the end, which is no failure.
    assert {failed for _, _, failed in (*broken.pings[:-1], *absent.pings[:-1])} == {True}
