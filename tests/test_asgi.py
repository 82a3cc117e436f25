"""`flasync.asgi`: the ASGI application, scope by scope."""

import asyncio
import threading
from typing import Any

import flask
import pytest

import flasync
from conftest import Call, Serving, settle
from flasync.asgi import ASGI
from flasync.errors import UnsupportedScopeError


@pytest.mark.parametrize("thing", [None, "module:app", flask, lambda: flask.Flask("x")])
def test_wants_a_flask_object(thing: Any) -> None:
    """Anything but a Flask object is refused when it is wrapped."""
    with pytest.raises(TypeError, match="not a flask"):
        ASGI(thing)


def test_takes_subclasses() -> None:
    """A subclass is a Flask object too, and is what `app` gives back."""

    class Own(flask.Flask):
        pass

    app = Own("example")
    assert ASGI(app).app is app


async def test_the_app_keeps_working_under_wsgi(app: flask.Flask, serving: Serving) -> None:
    """The wrapped object answers its own test client as before."""

    @app.get("/")
    def view() -> str:
        return "answer"

    async with serving(app) as asgi:
        assert (await Call(asgi).start().finish()).body == b"answer"
        assert app.test_client().get("/").text == "answer"


async def test_websockets_are_refused(app: flask.Flask) -> None:
    """A WebSocket is closed, with a sentence where the server can send one."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await ASGI(app)({"type": "websocket"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
    sent.clear()
    extensions: dict[str, Any] = {"websocket.http.response": {}}
    await ASGI(app)({"type": "websocket", "extensions": extensions}, receive, send)
    assert sent[0]["status"] == 501
    assert b"WebSockets" in sent[1]["body"]


async def test_unknown_scopes(app: flask.Flask) -> None:
    """A scope of another type is an error that names it."""
    with pytest.raises(UnsupportedScopeError, match="'own'"):
        await ASGI(app)({"type": "own"}, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_forced_lane(lane: str, app: flask.Flask, serving: Serving) -> None:
    """`scope["flasync.lane"]` puts a request into a lane, whatever its view is."""
    idents: list[int] = []

    @app.before_request
    def before() -> None:
        idents.append(threading.get_ident())

    @app.get("/")
    async def view() -> str:
        return ""

    async with serving(app) as asgi:
        await Call(asgi, flasync__lane=lane).start().finish()
    assert (idents[0] == threading.get_ident()) == (lane == "loop")


async def test_startup_without_lifespan(serving: Serving) -> None:
    """Without the lifespan protocol the first requests start the app, once, and all wait."""
    app = flasync.Flask("example")
    log: list[str] = []
    gate = asyncio.Event()

    @app.before_serving
    async def before() -> None:
        log.append("before")
        await gate.wait()
        log.append("ready")

    @app.get("/")
    async def view() -> str:
        log.append("view")
        return ""

    calls = [Call(app).start() for _ in range(3)]
    await settle()
    assert calls[0].task is not None
    calls[0].task.cancel()  # its client's departure is not the app's end
    await settle()
    assert log == ["before"]
    gate.set()
    for call in calls[1:]:
        await call.finish()
    assert log == ["before", "ready", "view", "view"]
    async with serving(app):  # the same run of it, which now learns of its end
        assert len(log) == 4


async def test_wrong_setting_stops_the_startup(app: flask.Flask, serving: Serving) -> None:
    """A wrong setting is the startup's failure, in the server's log."""
    app.config["WORKER_THREADS"] = "many"
    with pytest.raises(RuntimeError, match=r"SettingError: .*'many'"):
        async with serving(app):
            pass


async def test_what_the_app_raises(app: flask.Flask, serving: Serving) -> None:
    """What the app lets through reaches the server."""

    @app.get("/")
    async def view() -> str:
        raise ValueError("oops")

    async with serving(app) as asgi:
        with pytest.raises(ValueError, match="oops"):
            await Call(asgi).start().finish()


async def test_startup_that_fails_is_tried_again(serving: Serving) -> None:
    """Without lifespan a request whose startup fails gets the error; the next one tries again."""
    app = flasync.Flask("example")
    failures = [ValueError("oops")]

    @app.before_serving
    async def before() -> None:
        if failures:
            raise failures.pop()

    @app.get("/")
    async def view() -> str:
        return "answer"

    with pytest.raises(ValueError, match="oops"):
        await Call(app).start().finish()
    assert (await Call(app).start().finish()).body == b"answer"
    async with serving(app):
        pass
