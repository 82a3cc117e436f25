"""Every way in which a server's `send` says that the client is gone ends the request."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import flask
import pytest

import flasync

Serving = Callable[[flask.Flask], AbstractAsyncContextManager[flasync.ASGI]]

DEADLINE_S = 60


class Journal:
    """What happened in the app, in order."""

    def __init__(self) -> None:
        """Start empty."""
        self.events: list[str] = []


@pytest.fixture
def journal() -> Journal:
    """An empty journal."""
    return Journal()


@pytest.fixture
def app(journal: Journal) -> flask.Flask:
    """Plain and streamed responses from both lanes."""
    app = flask.Flask(__name__)

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        journal.events.append("teardown")

    def chunks() -> Iterator[bytes]:
        journal.events.append("opened")
        try:
            while True:
                yield b"chunk"
        finally:
            journal.events.append("closed")

    async def async_chunks() -> AsyncIterator[bytes]:
        journal.events.append("opened")
        try:
            while True:
                yield b"chunk"
                await asyncio.sleep(0)
        finally:
            journal.events.append("closed")

    def closing(response: flask.Response) -> flask.Response:
        response.call_on_close(lambda: journal.events.append("call_on_close"))
        return response

    @app.get("/sync")
    def sync_view() -> flask.Response:
        return closing(flask.Response("hello"))

    @app.get("/async")
    async def async_view() -> flask.Response:
        await asyncio.sleep(0)
        return closing(flask.Response("hello"))

    @app.get("/sync-stream")
    def sync_stream() -> flask.Response:
        return closing(flask.Response(chunks()))

    @app.get("/async-stream")
    async def async_stream() -> flask.Response:
        return closing(flask.Response(async_chunks()))

    @app.get("/sync-view-async-stream")
    def sync_view_async_stream() -> flask.Response:
        return closing(flask.Response(async_chunks()))

    @app.get("/async-view-sync-stream")
    async def async_view_sync_stream() -> flask.Response:
        return closing(flask.Response(chunks()))

    return app


class Server:
    """A fake server, for what the real ones do too rarely: its client leaves at message N."""

    def __init__(self, leaves_at: int, raises: bool) -> None:
        """Leave at this message; then `send` raises OSError (ASGI 2.4) or does nothing (2.3)."""
        self.leaves_at = leaves_at
        self.raises = raises
        self.sent: list[dict[str, Any]] = []
        self.calls = 0
        self.gone = asyncio.Event()
        self.requested = False

    async def receive(self) -> dict[str, Any]:
        """The empty body, then the disconnect once the client has gone."""
        if not self.requested:
            self.requested = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Take the message, unless the client has gone."""
        self.calls += 1
        await asyncio.sleep(0)
        if self.calls >= self.leaves_at:
            self.gone.set()
            if self.raises:
                raise OSError("the client is gone")
            return
        self.sent.append(message)


def build_scope(path: str, spec_version: str) -> dict[str, Any]:
    """A GET."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }


async def serve_until_gone(asgi: flasync.ASGI, path: str, server: Server) -> None:
    """One request, whose end is waited for, but not for ever."""
    scope = build_scope(path, "2.4" if server.raises else "2.3")
    await asyncio.wait_for(asgi(scope, server.receive, server.send), DEADLINE_S)


@pytest.mark.parametrize("raises", [True, False], ids=["OSError", "nothing"])
@pytest.mark.parametrize("leaves_at", [1, 2, 3, 10])
@pytest.mark.parametrize(
    "path",
    ["/sync-stream", "/async-stream", "/sync-view-async-stream", "/async-view-sync-stream"],
)
async def test_an_endless_stream_ends(
    serving: Serving,
    app: flask.Flask,
    journal: Journal,
    *,
    path: str,
    leaves_at: int,
    raises: bool,
) -> None:
    """The request returns, its generator is closed, `call_on_close` and teardown ran once."""
    server = Server(leaves_at, raises)
    async with serving(app) as asgi:
        await serve_until_gone(asgi, path, server)
    assert len(server.sent) == leaves_at - 1
    events = journal.events
    # A generator that never started has nothing to close.
    assert events.count("opened") == events.count("closed")
    assert events.count("call_on_close") == 1
    assert events.count("teardown") == 1


@pytest.mark.parametrize("raises", [True, False], ids=["OSError", "nothing"])
@pytest.mark.parametrize("leaves_at", [1, 2])
@pytest.mark.parametrize("path", ["/sync", "/async"])
async def test_a_plain_response_ends(
    serving: Serving,
    app: flask.Flask,
    journal: Journal,
    *,
    path: str,
    leaves_at: int,
    raises: bool,
) -> None:
    """The request returns and runs `call_on_close` and teardown once."""
    async with serving(app) as asgi:
        await serve_until_gone(asgi, path, Server(leaves_at, raises))
    assert sorted(journal.events) == ["call_on_close", "teardown"]
