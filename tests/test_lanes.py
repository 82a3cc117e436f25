"""`flasync.lanes`: which lane a request takes."""

import functools
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

import flask
import pytest
from flask.views import MethodView, View
from werkzeug.routing import BaseConverter

from conftest import Call, Serving
from flasync.lanes import Course, Lane, find_course, in_thread, is_async, on_loop, unwrap_chain


async def asynchronous() -> str:
    """An async view."""
    return ""


def synchronous() -> str:
    """A sync view."""
    return ""


async def stream() -> AsyncGenerator[str]:
    """An async generator as a view."""
    yield ""


def pass_through(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that knows nothing of async, as most have."""

    @functools.wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return call


class AsyncCallable:
    """An object with an async call."""

    async def __call__(self) -> str:
        return ""


class Methods(MethodView):
    """One method of each kind."""

    async def get(self) -> str:
        return ""

    def post(self) -> str:
        return ""

    @in_thread
    async def put(self) -> str:
        return ""


class AsyncView(View):
    """An async `dispatch_request`."""

    async def dispatch_request(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("view", "lane"),
    [
        (asynchronous, Lane.LOOP),
        (synchronous, Lane.THREAD),
        (stream, Lane.LOOP),
        (pass_through(asynchronous), Lane.LOOP),
        (pass_through(pass_through(asynchronous)), Lane.LOOP),
        (pass_through(synchronous), Lane.THREAD),
        (functools.partial(asynchronous), Lane.LOOP),
        (functools.partial(pass_through(asynchronous)), Lane.LOOP),
        (AsyncCallable(), Lane.LOOP),
        (AsyncView.as_view("view"), Lane.LOOP),
        (on_loop(pass_through(synchronous)), Lane.LOOP),
        (in_thread(pass_through(asynchronous)), Lane.THREAD),
        (in_thread(on_loop(pass_through(synchronous))), Lane.THREAD),
        (None, Lane.THREAD),
    ],
)
def test_lane_of_a_view(view: Any, lane: Lane) -> None:
    """A view is async when anything that it wraps is; the outermost mark decides before that."""
    assert find_course(view, "GET").lane is lane


@pytest.mark.parametrize(
    ("method", "lane"),
    [
        ("GET", Lane.LOOP),
        ("HEAD", Lane.LOOP),
        ("POST", Lane.THREAD),
        ("PUT", Lane.THREAD),
        ("OPTIONS", Lane.THREAD),
    ],
)
def test_lane_of_a_method_view(method: str, lane: Lane) -> None:
    """A class-based view decides by the method that the request calls."""
    assert find_course(Methods.as_view("view"), method).lane is lane


@pytest.mark.parametrize("mark", [on_loop, in_thread])
def test_marks(mark: Callable[..., Any]) -> None:
    """A mark is written with or without arguments, and leaves the view as it is."""
    lane = Lane.LOOP if mark is on_loop else Lane.THREAD

    @mark
    def plain() -> str:
        return "plain"

    @mark(cancel_on_disconnect=False)
    def with_argument() -> str:
        return "with"

    assert (plain(), with_argument()) == ("plain", "with")
    assert find_course(plain, "GET") == Course(lane, None)
    assert find_course(with_argument, "GET") == Course(lane, False)


def test_marked_class() -> None:
    """A mark on the class holds for its methods that have none of their own."""

    @on_loop
    class Marked(Methods):
        pass

    assert find_course(Marked.as_view("view"), "POST").lane is Lane.LOOP
    assert find_course(Marked.as_view("view"), "PUT").lane is Lane.THREAD


def test_unwrap_chain_ends() -> None:
    """A function that wraps itself is walked once."""

    def function() -> None:
        pass

    function.__wrapped__ = function  # type: ignore[attr-defined]
    assert list(unwrap_chain(function)) == [function]
    assert not is_async(function)


async def get_lane(asgi: Any, path: str, method: str = "GET", **scope: Any) -> str:
    """The lane that a request has taken, as its hook has seen it."""
    call = await Call(asgi, path, method, **scope).start().finish()
    return call.headers["x-lane"]


def tell_lane(app: flask.Flask) -> None:
    """Have every response tell its lane."""
    loop_thread = threading.get_ident()

    @app.after_request
    def after(response: flask.Response) -> flask.Response:
        response.headers["X-Lane"] = "loop" if threading.get_ident() == loop_thread else "thread"
        return response


async def test_lanes_of_requests(app: flask.Flask, serving: Serving) -> None:
    """Requests take their lanes by the app's own URL map; what matches nothing takes a thread."""
    tell_lane(app)
    app.add_url_rule("/async/<int:n>", "a", lambda n: "", methods=["POST"])
    app.add_url_rule("/async/<name>", "b", pass_through(in_own_way))
    app.add_url_rule("/sync", "c", synchronous)
    app.add_url_rule("/async/", "d", asynchronous)
    app.config["PROPAGATE_EXCEPTIONS"] = None
    async with serving(app) as asgi:
        for _ in range(2):  # what is kept from the first time says the same
            assert await get_lane(asgi, "/async/x") == "loop"
            assert await get_lane(asgi, "/async/1", "POST") == "thread"
            assert await get_lane(asgi, "/sync") == "thread"
            assert await get_lane(asgi, "/nowhere") == "thread"
            assert await get_lane(asgi, "/async") == "thread"  # a redirect
            assert await get_lane(asgi, "/sync", "DELETE") == "thread"


async def in_own_way(name: str) -> str:
    """An async view with an argument."""
    return name


async def test_own_converters_run_once(app: flask.Flask, serving: Serving) -> None:
    """A converter of the app's own runs once a request, with the request at hand, in its lane."""
    tell_lane(app)
    seen: list[str] = []

    class Own(BaseConverter):
        def to_python(self, value: str) -> str:
            seen.append(flask.request.path)
            return value

    app.url_map.converters["own"] = Own
    app.add_url_rule("/<own:name>", "view", in_own_way)
    async with serving(app) as asgi:
        assert await get_lane(asgi, "/x") == "loop"
    assert seen == ["/x"]


async def test_views_that_cannot_be_hashed(app: flask.Flask, serving: Serving) -> None:
    """Any callable that Flask takes is served."""

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self) -> str:
            return "answer"

    app.add_url_rule("/", "view", Unhashable())
    async with serving(app) as asgi:
        assert (await Call(asgi).start().finish()).body == b"answer"


async def test_view_put_in_anothers_place(app: flask.Flask, serving: Serving) -> None:
    """A view that replaces another counts from the next request on."""
    tell_lane(app)
    app.add_url_rule("/", "view", synchronous)
    async with serving(app) as asgi:
        assert await get_lane(asgi, "/") == "thread"
        app.view_functions["view"] = asynchronous
        assert await get_lane(asgi, "/") == "loop"
