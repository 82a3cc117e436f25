"""`flasync.streams`: async iterables as response bodies, and the contexts that they keep."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import flask
import pytest

from conftest import Call, Serving
from flasync.streams import is_async_stream

LANES = pytest.mark.parametrize("lane", ["loop", "thread"])


async def generate() -> AsyncGenerator[str]:
    """Two pieces, with a wait before each."""
    for piece in ("a", "b"):
        await asyncio.sleep(0)
        yield piece


class Iterable:
    """An async iterable that is no generator, with a close of its own."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self._left = ["a", "b"]

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(0)
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)

    async def aclose(self) -> None:
        """Note that it was closed."""
        self._log.append("closed")


def test_is_async_stream() -> None:
    """Async iterables and `stream_with_context` around one are; nothing else is."""
    generator = generate()
    assert is_async_stream(generator)
    assert is_async_stream(Iterable([]))
    assert is_async_stream(flask.stream_with_context(generator))
    for other in ("text", b"bytes", [b"list"], iter([b"x"]), None, print, {"a": 1}):
        assert not is_async_stream(other)


@LANES
@pytest.mark.parametrize("form", ["view", "bare", "tuple", "response", "made", "sync view"])
async def test_forms(lane: str, form: str, app: flask.Flask, serving: Serving) -> None:
    """An async generator may be the view, be returned, with a status, or in a Response."""

    async def view() -> object:
        forms = {
            "bare": generate,
            "tuple": lambda: (generate(), 201, {"X-Own": "1"}),
            "response": lambda: flask.Response(generate(), 201),
            "made": lambda: flask.make_response(generate(), 201),
        }
        return forms[form]()

    def sync_view() -> object:
        return generate()

    views = {"view": generate, "sync view": sync_view}
    app.add_url_rule("/", "view", views.get(form, view))
    async with serving(app) as asgi:
        call = await Call(asgi, flasync__lane=lane).start().finish()
    assert (call.body, call.is_complete) == (b"ab", True)
    assert call.status == (201 if form in {"tuple", "response", "made"} else 200)


@LANES
async def test_other_async_iterables(lane: str, app: flask.Flask, serving: Serving) -> None:
    """Any async iterable serves, and is closed at its end if it can be."""
    log: list[str] = []

    @app.get("/")
    async def view() -> flask.Response:
        return flask.Response(Iterable(log))  # type: ignore[arg-type]

    async with serving(app) as asgi:
        assert (await Call(asgi, flasync__lane=lane).start().finish()).body == b"ab"
    assert set(log) == {"closed"}


@LANES
async def test_kept_context(lane: str, app: flask.Flask, serving: Serving) -> None:
    """`stream_with_context` keeps request, g and session at every step; teardown comes after."""
    log: list[str] = []

    @app.teardown_request
    def teardown(_: BaseException | None) -> None:
        log.append("teardown")

    @app.get("/<name>")
    async def view(name: str) -> flask.Response:
        flask.g.name = name

        async def pieces() -> AsyncGenerator[str]:
            for _ in range(2):
                log.append(f"{flask.request.path} {flask.g.name}")
                yield flask.g.name
                await asyncio.sleep(0)

        return flask.Response(flask.stream_with_context(pieces()))  # type: ignore[type-var]

    async with serving(app) as asgi:
        assert (await Call(asgi, "/x", flasync__lane=lane).start().finish()).body == b"xx"
    assert log == ["/x x", "/x x", "teardown"]


@LANES
async def test_dropped_unsent(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A stream that a hook replaces, or whose hook fails, is closed; its context is popped."""
    app.config["PROPAGATE_EXCEPTIONS"] = None
    fails = [False, True]

    @app.after_request
    def replace(response: flask.Response) -> flask.Response:
        if fails.pop(0):
            fails.append(False)
            raise ValueError("oops")
        return flask.Response("another")

    @app.get("/")
    async def view() -> flask.Response:
        return flask.Response(flask.stream_with_context(generate()))  # type: ignore[type-var]

    async with serving(app) as asgi:
        assert (await Call(asgi, flasync__lane=lane).start().finish()).body == b"another"
        await Call(asgi, flasync__lane=lane).start().finish()


@LANES
async def test_a_stream_that_fails(lane: str, app: flask.Flask, serving: Serving) -> None:
    """What a stream raises in its middle reaches the server; the response stays incomplete."""

    @app.get("/")
    async def view() -> AsyncGenerator[str]:
        yield "a"
        raise ValueError("oops")

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        with pytest.raises(ValueError, match="oops"):
            await call.finish()
    assert (call.body, call.is_complete) == (b"a", False)


@pytest.mark.usefixtures("background_loop")
def test_under_the_test_client(app: flask.Flask, serving: Serving) -> None:
    """The stock test client, without any server, reads async streams too."""
    from flasync import ASGI  # noqa: PLC0415  beside its one use

    ASGI(app)
    app.add_url_rule("/", "view", generate)
    assert app.test_client().get("/").text == "ab"
