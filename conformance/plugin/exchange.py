"""One request through an ASGI application, for a client that speaks WSGI."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import greenlet
from werkzeug.http import HTTP_STATUS_CODES

import flasync

from .hosting import Host
from .scope import build_scope, read_body

Message = dict[str, Any]


class ClientGoneError(OSError):
    """What `send` raises after the client has closed the response (ASGI HTTP spec 2.4)."""


class Exchange:
    """The WSGI response iterable of one request.

    The application runs as one task on the loop, in the client's own context. It is held in `send`
    after each piece of the body until the client asks for the next, as a WSGI iterable is. Since
    two threads must not be in one context, the task moves only while the client waits in `await_`,
    which ends only when the task is held or has ended.

    Args:
        asgi: The application.
        environ: The client's request.
        lane: The lane into which the request is forced, or None.
        host: Lends the client's thread to the request as its worker; None: flasync's own threads.

    Attributes:
        status: The status line, from the first return of `advance` on.
        headers: The response's headers, likewise.
        on_end: Called once the application has ended.
    """

    def __init__(
        self, asgi: flasync.ASGI, environ: dict[str, Any], lane: str | None, host: Host | None
    ) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.on_end: Callable[[], object] = lambda: None
        self._host = host
        self._asgi, self._scope = asgi, build_scope(environ, lane)
        self._body = read_body(environ)
        self._chunks: deque[bytes] = deque()
        self._error: BaseException | None = None
        self._ended = self._gone = False

    _task: asyncio.Task[None] | None = None
    _departure: asyncio.Event
    _moved: asyncio.Future[None]
    _held: asyncio.Future[None]

    def __iter__(self) -> Iterator[bytes]:
        """Itself, as the response iterable of a WSGI application."""
        return self

    def __next__(self) -> bytes:
        """The next piece of the body; lets the application run up to it."""
        while not self._chunks:
            if self._ended:
                raise StopIteration
            self.advance()
        return self._chunks.popleft()

    def close(self) -> None:
        """Let the client be gone: what still runs learns it from `receive` and from `send`."""
        self._gone = True
        self._chunks.clear()
        while not self._ended:
            self.advance()

    def advance(self) -> None:
        """Let the application run until it is held or has ended.

        Raises:
            BaseException: What the application raised.
            RuntimeError: When it ended without a response.
        """
        wait = self._host.wait if self._host else flasync.await_
        wait(self._advance())
        if not self._ended:
            return
        self.on_end()
        error, self._error = self._error, None
        if error is not None and not (self._gone and isinstance(error, ClientGoneError)):
            raise error
        if not self.status:
            raise RuntimeError("the ASGI application ended without a response")

    async def _advance(self) -> None:
        loop = asyncio.get_running_loop()
        self._moved = loop.create_future()
        if self._task is None:
            self._departure = asyncio.Event()
            # The client's very context, not the copy of it that a task gets by default.
            context = greenlet.getcurrent().gr_context
            self._task = loop.create_task(self._run(), context=context)
            if self._host:
                self._host.adopt(self._task)
        else:
            if self._gone:
                self._departure.set()
            self._held.set_result(None)
        await self._moved

    async def _run(self) -> None:
        try:
            await self._asgi(self._scope, self._receive, self._send)
        except BaseException as error:  # whatever it is, it is the test's, not the loop's
            self._error = error
        finally:
            self._ended = True
            self._moved.set_result(None)

    async def _receive(self) -> Message:
        for message in self._body:
            return message
        await self._departure.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self._check_client()
        if message["type"] == "http.response.start":
            self.status = build_status(message["status"])
            self.headers = [
                (name.decode("latin-1").title(), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
            return
        body = bytes(message.get("body", b""))
        if body:
            self._chunks.append(body)
        if not message.get("more_body", False):
            # As servers do: after the last piece, `receive` says that there is no more to come.
            self._departure.set()
        elif body:
            self._held = asyncio.get_running_loop().create_future()
            self._moved.set_result(None)
            await self._held
            self._check_client()

    def _check_client(self) -> None:
        if self._gone:
            raise ClientGoneError("the client has closed the response")


def build_status(code: int) -> str:
    """The status line as Werkzeug writes it. ASGI carries nothing of it but the code."""
    return f"{code} {HTTP_STATUS_CODES.get(code, 'UNKNOWN').upper()}"
