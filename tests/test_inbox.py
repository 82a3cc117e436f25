"""`flasync.inbox`: the body in pieces, the client's departure, and who may receive when."""

import asyncio
from typing import Any

import pytest

from conftest import settle
from flasync.errors import BodyDisconnected, BodyTimeout
from flasync.inbox import READ_AHEAD_BYTES, Inbox

GONE = {"type": "http.disconnect"}


def piece(body: bytes = b"", *, more: bool = True) -> dict[str, Any]:
    """A message with a piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


class Wire:
    """A server's `receive`, fed by the test; it fails when two wait in it at once."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self._queue.put_nowait(message)
        self.waiting = 0
        self.received = 0
        self.feed = self._queue.put_nowait

    async def receive(self) -> dict[str, Any]:
        """The server's `receive`."""
        assert not self.waiting, "two receive at once"
        self.waiting += 1
        try:
            message = await self._queue.get()
        finally:
            self.waiting -= 1
        self.received += 1
        return message


def build(*messages: dict[str, Any], timeout_s: float | None = None) -> tuple[Wire, Inbox]:
    """A wire with messages on it, and its inbox."""
    wire = Wire(*messages)
    return wire, Inbox(wire.receive, timeout_s)


async def read_all(inbox: Inbox) -> list[bytes]:
    """Every piece up to the end."""
    pieces = []
    while data := await inbox.read():
        pieces.append(data)
    return pieces


async def test_reads_the_pieces() -> None:
    """The pieces come one by one, empty ones left out; the end is b"", again and again."""
    _, inbox = build(piece(b"a"), piece(), piece(b"b"), piece(b"c", more=False))
    assert await read_all(inbox) == [b"a", b"b", b"c"]
    assert await inbox.read() == b""


@pytest.mark.parametrize("message", [{"type": "http.request"}, piece(more=False)])
async def test_no_body(message: dict[str, Any]) -> None:
    """A request without a body is at its end at once; body and more_body may be missing."""
    _, inbox = build(message)
    assert await inbox.read() == b""


async def test_receives_only_when_asked() -> None:
    """Nothing is received before somebody wants a piece: the client feels it."""
    wire, inbox = build(piece(b"a"), piece(b"b", more=False))
    await settle()
    assert wire.received == 0
    await inbox.read()
    assert wire.received == 1


async def test_the_client_leaves_in_the_middle() -> None:
    """What arrived before is read; then the departure is an error, each time."""
    _, inbox = build(piece(b"a"), GONE)
    assert await inbox.read() == b"a"
    for _ in range(2):
        with pytest.raises(BodyDisconnected):
            await inbox.read()
    assert inbox.disconnected


async def test_the_client_leaves_after_the_end() -> None:
    """A client that leaves after its body is no error to the reader."""
    _, inbox = build(piece(b"a", more=False), GONE)
    assert await read_all(inbox) == [b"a"]
    watch = asyncio.ensure_future(inbox.watch())
    await watch
    assert await inbox.read() == b""


async def test_the_client_falls_silent() -> None:
    """A client that sends nothing for too long is an error, and can be read from again."""
    wire, inbox = build(piece(b"a"), timeout_s=0.001)
    assert await inbox.read() == b"a"
    with pytest.raises(BodyTimeout, match="BODY_TIMEOUT"):
        await inbox.read()
    assert not wire.waiting
    wire.feed(piece(b"late", more=False))
    assert await inbox.read() == b"late"


async def test_silence_under_a_watch() -> None:
    """The time limit holds while a watch receives, and the watch lives on."""
    wire, inbox = build(timeout_s=0.001)
    watch = asyncio.ensure_future(inbox.watch())
    with pytest.raises(BodyTimeout):
        await inbox.read()
    assert not watch.done()
    wire.feed(GONE)
    await watch


async def test_watch_returns_at_the_departure() -> None:
    """A watch waits for as long as the client is there."""
    wire, inbox = build(piece(more=False))
    watch = asyncio.ensure_future(inbox.watch())
    await settle()
    assert not watch.done()
    wire.feed(GONE)
    await watch
    assert inbox.disconnected


async def test_watch_reads_ahead_for_the_reader() -> None:
    """What a watch receives is there for the reader, in order, and only one of them receives."""
    wire, inbox = build(piece(b"a"), piece(b"b"))
    assert await inbox.read() == b"a"
    watch = asyncio.ensure_future(inbox.watch())
    await settle()
    reader = asyncio.ensure_future(read_all(inbox))
    await settle()
    wire.feed(piece(b"c"))
    wire.feed(piece(b"d", more=False))
    assert await reader == [b"b", b"c", b"d"]
    wire.feed(GONE)
    await watch


async def test_watch_reads_ahead_only_so_far() -> None:
    """A large body waits on the wire until the reader takes its pieces."""
    chunk = b"x" * (READ_AHEAD_BYTES // 2)
    wire, inbox = build(*[piece(chunk) for _ in range(6)], piece(more=False))
    watch = asyncio.ensure_future(inbox.watch())
    await settle()
    assert wire.received == 2
    assert await inbox.read() == chunk
    await settle()
    assert wire.received == 3
    assert await read_all(inbox) == [chunk] * 5
    wire.feed(GONE)
    await watch


async def test_disconnect_wakes_the_reader() -> None:
    """A reader that waits under a watch learns of the departure."""
    wire, inbox = build()
    watch = asyncio.ensure_future(inbox.watch())
    reader = asyncio.ensure_future(inbox.read())
    await settle()
    wire.feed(GONE)
    with pytest.raises(BodyDisconnected):
        await reader
    await watch


async def test_reader_goes_on_after_a_watch_is_cancelled() -> None:
    """A reader takes over the receiving when the watch ends."""
    wire, inbox = build()
    watch = asyncio.ensure_future(inbox.watch())
    reader = asyncio.ensure_future(inbox.read())
    await settle()
    watch.cancel()
    await settle()
    wire.feed(piece(b"a", more=False))
    assert await reader == b"a"


async def test_receiving_is_seen() -> None:
    """While somebody waits in `receive` it is seen, and not after."""
    wire, inbox = build()
    reader = asyncio.ensure_future(inbox.read())
    await settle()
    assert inbox.receiving
    wire.feed(piece(b"a"))
    await reader
    assert not inbox.receiving


async def test_cancelled_reader() -> None:
    """A reader that is cancelled leaves the wire to the next one."""
    wire, inbox = build()
    reader = asyncio.ensure_future(inbox.read())
    await settle()
    reader.cancel()
    await settle()
    assert (inbox.receiving, wire.waiting) == (False, 0)
    wire.feed(piece(b"a", more=False))
    assert await inbox.read() == b"a"


async def test_receive_that_fails() -> None:
    """What the server's `receive` raises reaches the reader."""

    async def receive() -> dict[str, Any]:
        raise RuntimeError("the server's own")

    inbox = Inbox(receive, None)
    with pytest.raises(RuntimeError, match="own"):
        await inbox.read()
    with pytest.raises(RuntimeError, match="own"):
        await inbox.watch()
