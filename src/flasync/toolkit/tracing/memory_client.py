"""A client and a server in one: sends requests to an ASGI app in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from flasync.errors import AppStartError
from flasync.toolkit.request_body import guess_content_type

App = Callable[[Any, Any, Any], Awaitable[None]]

# Seconds that an app gets to end what it does once its client has left, and once more.
GRACE_S = 5.0
_LAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """A request to send.

    Attributes:
        method: In capitals.
        target: The path, quoted, with its query.
        headers: (name, value) pairs as given.
        body: All of it.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def build_scope(self, host: str) -> dict[str, Any]:
        """Return the ASGI scope, of a client on this machine."""
        target, _, _ = self.target.partition("#")  # what follows, no client sends
        path, _, query = target.partition("?")
        given = [(name.lower().encode(), value.encode()) for name, value in self.headers]
        names = {name for name, _ in given}
        usual = {b"host": host.encode(), b"user-agent": b"flasync-trace", b"accept": b"*/*"}
        if self.body:
            usual[b"content-length"] = str(len(self.body)).encode()
            usual[b"content-type"] = guess_content_type(self.body).encode()
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [item for item in usual.items() if item[0] not in names] + given,
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }


class MemoryRequest:
    """One request under way.

    Args:
        app: The ASGI app.
        scope: The request's scope.
        body: Its body.

    Attributes:
        status: Of the response; None until it has begun.
        body_bytes: Of the response, so far.
    """

    def __init__(self, app: App, scope: dict[str, Any], body: bytes) -> None:
        self._app = app
        self._scope = scope
        self._inbox: list[dict[str, Any]] = [{"type": "http.request", "body": body}]
        self._left = asyncio.Event()
        self.status: int | None = None
        self.body_bytes = 0

    async def run(self) -> None:
        """Have the app answer.

        Raises:
            Exception: What the app lets through.
        """
        await self._app(self._scope, self._receive, self._send)

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def _receive(self) -> dict[str, Any]:
        if self._inbox:
            return self._inbox.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body_bytes += len(message.get("body", b""))


async def end(task: asyncio.Task[None]) -> BaseException | None:
    """Wait for the end of a request whose client has left, and force it in the end.

    Code that catches its cancellation and goes on would keep the process for ever. Closing its
    coroutine raises GeneratorExit in it, which hardly any code catches.

    Returns:
        What the app has let through; None for a request that was cancelled or forced.
    """
    await asyncio.wait([task], timeout=_LAST_S)
    is_forced = not task.done()
    if is_forced:
        with suppress(RuntimeError):  # this one did catch it
            task.get_coro().close()
        task.cancel()
    await asyncio.wait([task], timeout=_LAST_S)
    if not task.done() or task.cancelled():
        return None
    error = task.exception()
    return None if is_forced else error


@asynccontextmanager
async def live(app: App) -> AsyncGenerator[None]:
    """Start an ASGI app, and shut it down at the end.

    Raises:
        AppStartError: A startup hook has failed.
    """
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            started.set_result(None)

    await inbox.put({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
    task = asyncio.ensure_future(app(scope, inbox.get, send))
    await asyncio.wait([started, task], return_when=asyncio.FIRST_COMPLETED)
    if not started.done():
        error = task.exception()
        raise AppStartError(
            f"A startup hook of the app failed: {type(error).__name__}: {error}. Correct that, or"
            " see the whole traceback with flasync serve."
        ) from error
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await task
