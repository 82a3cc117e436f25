"""What a client sends during one request: the pieces of its body, and its departure."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any

from flasync.errors import BodyDisconnected, BodyTimeout
from flasync.outcome import resume

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# Bytes of a body that nobody has asked for yet, which may be held. A watch must read past the
# body to see the client leave; past this much it waits for the reader, and with it the client.
READ_AHEAD_BYTES = 64 * 1024


class Inbox:
    """The messages of one request, received by whoever needs one, by one at a time.

    Args:
        receive: The server's `receive`.
        timeout_s: Seconds that the client may stay silent while its body is waited for.

    Attributes:
        disconnected: Whether the client has left.
        receiving: Whether somebody waits in `receive` right now.
        wanted: Whether the body has been asked for.
    """

    __slots__ = (
        "_ahead_bytes",
        "_complete",
        "_exhausted",
        "_failure",
        "_news",
        "_pieces",
        "_receive",
        "_timeout_s",
        "_watching",
        "disconnected",
        "receiving",
        "wanted",
    )

    def __init__(self, receive: Receive, timeout_s: float | None) -> None:
        self._receive = receive
        self._timeout_s = timeout_s
        self._pieces: list[bytes] = []
        self._ahead_bytes = 0
        self._complete = False
        self._exhausted = False
        self._failure: BodyTimeout | None = None
        self._watching = False
        # What the reader (for a piece) or the watch (for room) waits for; never both at once.
        self._news: asyncio.Future[None] | None = None
        self.disconnected = False
        self.receiving = False
        self.wanted = False

    def take(self) -> bytes | None:
        """Return the next piece of a body that is here to its end, `b""` at it; else None.

        Nobody else touches such a body, so this runs in any thread. Switches: never.
        """
        if not self._complete:
            return None
        return self._pieces.pop(0) if self._pieces else b""

    async def read(self) -> bytes:
        """Return the next non-empty piece of the body, or `b""` at its end.

        Raises:
            BodyDisconnected: The client left before the end.
            BodyTimeout: It stayed silent for too long.

        Runs in: the event loop. Switches: while nothing has arrived.
        """
        self.wanted = True
        while not self._pieces:
            if self._complete:
                return b""
            if self._failure is not None:
                raise self._failure
            if self.disconnected:
                raise BodyDisconnected(
                    "The client left in the middle of its request body. What has arrived is "
                    "incomplete and must not be used. Nothing can be answered any more."
                )
            await self._wait_piece()
        piece = self._pieces.pop(0)
        self._ahead_bytes -= len(piece)
        self._tell_news()
        return piece

    async def prefetch(self) -> None:
        """Receive a whole body, which must be small, before anybody asks for it.

        What goes wrong is raised by the `read` that gets there.
        """
        while not (self._complete or self.disconnected):
            try:
                await self._wait_piece()
            except BodyTimeout as error:
                self._failure = error
                return

    def watch(self) -> Coroutine[Any, Any, None]:
        """Return a coroutine that returns when the client has left, for a task of its own.

        It reads the body ahead as far as that is allowed. From this call on it alone receives,
        so this must not be called while somebody else is `receiving`.

        Runs in: the event loop.
        """
        self._watching = True
        return self._watch()

    async def _watch(self) -> None:
        try:
            while not (self.disconnected or self._exhausted):
                if self._ahead_bytes >= READ_AHEAD_BYTES and not self._complete:
                    await self._wait_news()
                else:
                    await self._receive_one()
                    self._tell_news()
        finally:
            self._watching = False
            self._tell_news()

    async def _wait_piece(self) -> None:
        wait = self._wait_news if self._watching else self._receive_one
        try:
            await _within(wait(), self._timeout_s)
        except TimeoutError:
            raise BodyTimeout(
                f"The client sent nothing for {self._timeout_s} s in the middle of its request "
                "body. Raise app.config['BODY_TIMEOUT'] (seconds) if clients are this slow."
            ) from None

    async def _wait_news(self) -> None:
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _tell_news(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _receive_one(self) -> None:
        self.receiving = True
        try:
            message = await self._receive()
        finally:
            self.receiving = False
        if message["type"] == "http.request":
            self._exhausted = self._complete  # no server's: a double that would answer for ever
            piece = message.get("body", b"")
            if piece:
                self._pieces.append(piece)
                self._ahead_bytes += len(piece)
            if not message.get("more_body", False):
                self._complete = True
        elif message["type"] == "http.disconnect":
            self.disconnected = True


@types.coroutine
def _within(steps: Coroutine[Any, Any, None], timeout_s: float | None) -> Generator[Any, Any, None]:
    """Await a coroutine under a time limit, which is set up only if it has to wait at all.

    Most bodies are here when they are asked for, and the set-up costs more than the reading.
    """
    try:
        waited_for = steps.send(None)
    except StopIteration:
        return
    yield from _resume_within(steps, waited_for, timeout_s).__await__()


async def _resume_within(
    steps: Coroutine[Any, Any, None], waited_for: Any, timeout_s: float | None
) -> None:
    async with asyncio.timeout(timeout_s):
        await resume(steps, waited_for)
