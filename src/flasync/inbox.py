"""What a client sends during one request: the pieces of its body, and its departure."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from flasync.errors import BodyDisconnected, BodyTimeout

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# Bytes of a body that nobody has asked for yet, which a watch may hold. A watch must read past
# the body to see the client leave; past this much it waits for the reader, and with it the client.
_READ_AHEAD_BYTES = 64 * 1024


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
        "_arrival",
        "_complete",
        "_drained",
        "_pieces",
        "_receive",
        "_timeout_s",
        "disconnected",
        "receiving",
        "wanted",
    )

    def __init__(self, receive: Receive, timeout_s: float | None) -> None:
        self._receive = receive
        self._timeout_s = timeout_s
        self._pieces: deque[bytes] = deque()
        self._ahead_bytes = 0
        self._complete = False
        self._arrival: asyncio.Event | None = None
        self._drained: asyncio.Event | None = None
        self.disconnected = False
        self.receiving = False
        self.wanted = False

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
            if self.disconnected:
                raise BodyDisconnected(
                    "The client left in the middle of its request body. What has arrived is "
                    "incomplete and must not be used. Nothing can be answered any more."
                )
            await self._wait_piece()
        piece = self._pieces.popleft()
        self._ahead_bytes -= len(piece)
        if self._drained is not None:
            self._drained.set()
        return piece

    def watch(self) -> Coroutine[Any, Any, None]:
        """Return a coroutine that returns when the client has left, for a task of its own.

        It reads the body ahead as far as that is allowed. From this call on it alone receives,
        so this must not be called while somebody else is `receiving`.

        Runs in: the event loop.
        """
        self._arrival, self._drained = asyncio.Event(), asyncio.Event()
        return self._watch(self._arrival, self._drained)

    async def _watch(self, arrival: asyncio.Event, drained: asyncio.Event) -> None:
        try:
            while not self.disconnected:
                if self._ahead_bytes >= _READ_AHEAD_BYTES:
                    drained.clear()
                    await drained.wait()
                    continue
                await self._receive_one()
                arrival.set()
        finally:
            self._arrival = self._drained = None
            arrival.set()

    async def _wait_piece(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._arrival is None:
                    await self._receive_one()
                else:
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            raise BodyTimeout(
                f"The client sent nothing for {self._timeout_s} s in the middle of its request "
                "body. Raise app.config['BODY_TIMEOUT'] (seconds) if clients are this slow."
            ) from None

    async def _receive_one(self) -> None:
        self.receiving = True
        try:
            message = await self._receive()
        finally:
            self.receiving = False
        if message["type"] == "http.request":
            piece = message.get("body", b"")
            if piece:
                self._pieces.append(piece)
                self._ahead_bytes += len(piece)
            if not message.get("more_body", False):
                self._complete = True
        elif message["type"] == "http.disconnect":
            self.disconnected = True
