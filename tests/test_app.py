"""`flasync.app`: the drop-in that both kinds of servers serve as it is."""

import asyncio
import inspect

import flask
import pytest

import flasync
from conftest import Call, Serving


@pytest.fixture
def own() -> flasync.Flask:
    """A drop-in app with an async view."""
    app = flasync.Flask("example")

    @app.get("/")
    async def view() -> str:
        await asyncio.sleep(0)
        return "answer"

    return app


async def test_as_asgi(own: flasync.Flask, serving: Serving) -> None:
    """Called with three arguments it is an ASGI application."""
    async with serving(own):
        assert (await Call(own).start().finish()).body == b"answer"


@pytest.mark.usefixtures("background_loop")
def test_as_wsgi(own: flasync.Flask) -> None:
    """Called with two it is a WSGI application, whose async views run on the background loop."""
    assert own.test_client().get("/").text == "answer"


def test_looks_async(own: flasync.Flask) -> None:
    """uvicorn and Hypercorn take it for an ASGI 3 application by looking at it."""
    assert inspect.iscoroutinefunction(own.__call__)


def test_subclass_with_its_own_call(own: flasync.Flask) -> None:
    """It stays callable as a plain Flask object is, by the class's own slot too."""
    assert callable(own)
    assert isinstance(own, flask.Flask)
    status: list[str] = []
    with own.test_request_context("/nowhere") as context:
        environ = context.request.environ
    body = own(environ, lambda line, headers, exc_info=None: status.append(line))
    assert b"Not Found" in b"".join(body)
    body.close()
    assert status == ["404 NOT FOUND"]


def test_hooks_are_the_wrappers(own: flasync.Flask) -> None:
    """Hooks registered on the app are those of its ASGI side, and of any wrapper around it."""
    own.before_serving(lambda: None)
    assert flasync.ASGI(own).hooks is own.serving_hooks
