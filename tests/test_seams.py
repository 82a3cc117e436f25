"""`flasync.seams`: what is changed about a Flask object, and what is left alone."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import flask
import pytest
from flask.typing import ResponseReturnValue

from conftest import Call, Serving
from flasync import seams
from flasync.asgi import ASGI

LANES = pytest.mark.parametrize("lane", ["loop", "thread"])


def login_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as extensions have them: sync, passing the call through."""

    @functools.wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        if "user" not in flask.request.args:
            flask.abort(401)
        return view(*args, **kwargs)

    return call


def test_installed_once(app: flask.Flask) -> None:
    """A second wrapper around the same app changes nothing more."""
    ASGI(app)
    before = dict(vars(app))
    ASGI(app)
    seams.install(app)
    assert vars(app) == before


def test_the_class_is_left_alone(app: flask.Flask) -> None:
    """Other Flask objects are as they were."""
    before = dict(vars(flask.Flask))
    ASGI(app)
    assert dict(vars(flask.Flask)) == before


@LANES
async def test_decorators_that_only_pass_through(
    lane: str, app: flask.Flask, serving: Serving
) -> None:
    """An extension's sync decorator works around an async view without the extension's help."""

    @app.get("/")
    @login_required
    async def view() -> str:
        await asyncio.sleep(0)
        return "secret"

    async with serving(app) as asgi:
        assert (await Call(asgi, flasync__lane=lane).start().finish()).status == 401
        answer = await Call(asgi, "/?user=1", flasync__lane=lane).start().finish()
        assert answer.body == b"secret"


@LANES
async def test_async_everything(lane: str, app: flask.Flask, serving: Serving) -> None:
    """Hooks, error handlers, processors and teardown functions may all be async."""
    app.config["PROPAGATE_EXCEPTIONS"] = None
    log: list[str] = []

    def note(name: str, value: Any = None) -> Any:
        async def function(*args: Any) -> Any:
            await asyncio.sleep(0)
            log.append(name)
            return args[0] if value == "first" else value

        return function

    app.before_request(note("before_request"))
    app.after_request(note("after_request", "first"))
    app.teardown_request(note("teardown_request"))
    app.teardown_appcontext(note("teardown_appcontext"))
    app.register_error_handler(ValueError, note("error_handler", ("handled", 418)))

    @app.get("/")
    async def view() -> ResponseReturnValue:
        raise ValueError

    async with serving(app) as asgi:
        call = await Call(asgi, flasync__lane=lane).start().finish()
    assert (call.status, call.body) == (418, b"handled")
    assert log == [
        "before_request",
        "error_handler",
        "after_request",
        "teardown_request",
        "teardown_appcontext",
    ]


@LANES
async def test_awaitable_results(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A sync view may return an awaitable, a task among them."""

    async def answer() -> str:
        return "answer"

    @app.get("/")
    def view() -> Any:
        return answer()

    async with serving(app) as asgi:
        assert (await Call(asgi, flasync__lane=lane).start().finish()).body == b"answer"


async def test_own_methods_stay_in_charge(serving: Serving) -> None:
    """A subclass's `make_response` and `ensure_sync` are still asked."""
    log: list[str] = []

    class Own(flask.Flask):
        def make_response(self, rv: Any) -> flask.Response:
            log.append("make_response")
            return super().make_response(rv)

        def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
            log.append("ensure_sync")
            return super().ensure_sync(func)

    app = Own("example")

    @app.get("/")
    async def view() -> str:
        return "answer"

    async with serving(app) as asgi:
        assert (await Call(asgi).start().finish()).body == b"answer"
    assert set(log) == {"ensure_sync", "make_response"}


async def test_middleware_that_changes_the_path(app: flask.Flask, serving: Serving) -> None:
    """The match made for the lane is not used for a request that middleware has changed."""
    inner = app.wsgi_app

    def middleware(environ: dict[str, Any], start_response: Any) -> Any:
        environ["PATH_INFO"] = "/other"
        return inner(environ, start_response)

    app.wsgi_app = middleware  # type: ignore[method-assign]

    @app.get("/<name>")
    async def view(name: str) -> str:
        return f"{name} {flask.request.path} {flask.request.view_args}"

    async with serving(app) as asgi:
        call = await Call(asgi, "/first").start().finish()
    assert call.body == b"other /other {'name': 'other'}"


async def test_matched_requests_are_as_stock(app: flask.Flask, serving: Serving) -> None:
    """URL building, view arguments and routing errors are as without the early match."""
    app.config["PROPAGATE_EXCEPTIONS"] = None

    @app.get("/item/<int:number>/")
    def item(number: int) -> dict[str, Any]:
        return {
            "args": flask.request.view_args,
            "url": flask.url_for("item", number=number + 1, _external=True),
            "rule": str(flask.request.url_rule),
        }

    async with serving(app) as asgi:
        for path, method in (("/item/1/", "GET"), ("/item/1", "GET"), ("/item/1/", "POST")):
            for query in ("", "?a=b"):
                ours = await Call(asgi, path + query, method).start().finish()
                theirs = app.test_client().open(path + query, method=method)
                assert (ours.status, ours.body) == (theirs.status_code, theirs.data)
                assert ours.headers.get("location") == theirs.headers.get("Location")
                assert ours.headers.get("allow") == theirs.headers.get("Allow")
