"""What changes between versions of Flask, on whichever one is installed.

Flask 3.2 merges the request context into the app context, hands the context to the dispatch
methods, and runs every teardown function even when one raises. To run these tests against
another Flask, install it over this one (a wheel, a checkout, a requirement):

    python -m pip install --upgrade <Flask>
    python -m pytest tests/pains/test_12_flask_versions.py
"""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any

import flask
import flask.views
import pytest
from flask.signals import appcontext_tearing_down, request_started

import flasync

Serving = Callable[[flask.Flask], AbstractAsyncContextManager[flasync.ASGI]]
LANES = pytest.mark.parametrize("lane", ["sync", "async"])
FLASK = tuple(int(part) for part in version("flask").split(".")[:2])


# Flask 3.2 warns of overrides without the context, and calls them as before.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)

    class Calls(flask.Flask):
        """A subclass that overrides what apps override, as one writes it for Flask 3.1."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            """Start with no calls."""
            super().__init__(*args, **kwargs)
            self.calls: list[str] = []

        def full_dispatch_request(self) -> flask.Response:
            """Note and pass on."""
            self.calls.append("full_dispatch_request")
            return super().full_dispatch_request()

        def preprocess_request(self) -> Any:
            """Note and pass on."""
            self.calls.append("preprocess_request")
            return super().preprocess_request()

        def dispatch_request(self) -> Any:
            """Note and pass on."""
            self.calls.append("dispatch_request")
            return super().dispatch_request()

        def finalize_request(self, rv: Any, from_error_handler: bool = False) -> flask.Response:
            """Note and pass on."""
            self.calls.append("finalize_request")
            return super().finalize_request(rv, from_error_handler)

        def process_response(self, response: flask.Response) -> flask.Response:
            """Note and pass on."""
            self.calls.append("process_response")
            return super().process_response(response)

    class Drop(Calls, flasync.Flask):
        """The same overrides over the drop-in."""


@pytest.fixture(params=[Calls, Drop], ids=["flasync.ASGI", "flasync.Flask"])
def app(request: pytest.FixtureRequest) -> Calls:
    """An app with views of both kinds."""
    app: Calls = request.param(__name__)
    app.secret_key = "not a secret: this app serves tests only"

    @app.before_request
    def before() -> None:
        flask.g.before = flask.request.path

    @app.get("/sync/view")
    def sync_view() -> Any:
        flask.session["seen"] = "yes"
        return {"before": flask.g.before, "app": flask.current_app.name}

    @app.get("/async/view")
    async def async_view() -> Any:
        await asyncio.sleep(0)
        flask.session["seen"] = "yes"
        return {"before": flask.g.before, "app": flask.current_app.name}

    @app.get("/sync/stream")
    def sync_stream() -> Iterator[str]:
        @flask.stream_with_context
        def generate() -> Iterator[str]:
            yield flask.g.before
            yield flask.request.path

        return generate()

    @app.get("/async/stream")
    async def async_stream() -> AsyncIterator[str]:
        @flask.stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield flask.g.before
            await asyncio.sleep(0)
            yield flask.request.path

        return generate()

    class Sync(flask.views.MethodView):
        def get(self) -> str:
            return f"{flask.request.method} {flask.g.before}"

    class Async(flask.views.MethodView):
        async def get(self) -> str:
            await asyncio.sleep(0)
            return f"{flask.request.method} {flask.g.before}"

    app.add_url_rule("/sync/class", view_func=Sync.as_view("sync_class"))
    app.add_url_rule("/async/class", view_func=Async.as_view("async_class"))

    @app.get("/sync/error")
    def sync_error() -> str:
        raise LookupError("sync")

    @app.get("/async/error")
    async def async_error() -> str:
        await asyncio.sleep(0)
        raise LookupError("async")

    @app.errorhandler(LookupError)
    async def handle(error: LookupError) -> tuple[str, int]:
        await asyncio.sleep(0)
        return f"handled {error} in {flask.request.path}", 418

    return app


def test_the_installed_flask_is_supported() -> None:
    """These tests say which Flask they ran on: 3.1 or later."""
    assert FLASK >= (3, 1), version("flask")


@LANES
async def test_contexts_hold_in_view_and_hooks(
    serving: Serving, call: Any, app: Calls, lane: str
) -> None:
    """`request`, `g`, `session` and `current_app` work in hooks and views of both lanes."""
    async with serving(app) as asgi:
        answer = await call(asgi, f"/{lane}/view").start().finish()
    assert answer.status == 200
    assert flask.json.loads(answer.body) == {"before": f"/{lane}/view", "app": app.name}
    assert answer.headers["set-cookie"].startswith("session=")


@LANES
async def test_overridden_dispatch_methods_are_called(
    serving: Serving, call: Any, app: Calls, lane: str
) -> None:
    """A subclass's dispatch methods run once each, in Flask's order, whatever they are given."""
    async with serving(app) as asgi:
        await call(asgi, f"/{lane}/view").start().finish()
    assert app.calls == [
        "full_dispatch_request",
        "preprocess_request",
        "dispatch_request",
        "finalize_request",
        "process_response",
    ]


@LANES
@pytest.mark.parametrize("path", ["stream", "class"])
async def test_streams_and_class_based_views(
    serving: Serving, call: Any, app: Calls, lane: str, path: str
) -> None:
    """`stream_with_context` keeps the context, and MethodViews answer, in both lanes."""
    async with serving(app) as asgi:
        answer = await call(asgi, f"/{lane}/{path}").start().finish()
    here = f"/{lane}/{path}"
    assert answer.body.decode() == {"stream": here + here, "class": f"GET {here}"}[path]


@LANES
async def test_error_handlers(serving: Serving, call: Any, app: Calls, lane: str) -> None:
    """An async error handler answers for views of both lanes."""
    async with serving(app) as asgi:
        answer = await call(asgi, f"/{lane}/error").start().finish()
    assert (answer.status, answer.body.decode()) == (418, f"handled {lane} in /{lane}/error")


@LANES
async def test_all_teardowns_run(serving: Serving, call: Any, app: Calls, lane: str) -> None:
    """Teardown functions and signals run once each, in Flask's order, also after an error."""
    order: list[str] = []

    @app.teardown_request
    def first(error: BaseException | None) -> None:
        order.append("request, registered first")

    @app.teardown_request
    async def last(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        order.append("request, registered last")

    @app.teardown_appcontext
    async def of_the_app(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        order.append("app context")

    def signalled(sender: flask.Flask, **_: Any) -> None:
        order.append("signal")

    async with serving(app) as asgi:
        with appcontext_tearing_down.connected_to(signalled, app):
            for path in ("view", "error"):
                await call(asgi, f"/{lane}/{path}").start().finish()
                assert order == [
                    "request, registered last",
                    "request, registered first",
                    "app context",
                    "signal",
                ]
                order.clear()


@LANES
async def test_a_teardown_that_raises(serving: Serving, call: Any, app: Calls, lane: str) -> None:
    """After a teardown function raised, the context is popped; since 3.2 the others run too."""
    order: list[str] = []

    @app.teardown_request
    def other(error: BaseException | None) -> None:
        order.append("other")

    @app.teardown_request
    def broken(error: BaseException | None) -> None:
        order.append("broken")
        raise ZeroDivisionError("teardown")

    async with serving(app) as asgi:
        # Flask 3.2 raises a group of what its teardown functions raised.
        with pytest.raises((ZeroDivisionError, BaseExceptionGroup)) as raised:
            await call(asgi, f"/{lane}/view").start().finish()
    error: BaseException = raised.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, ZeroDivisionError)
    assert order == (["broken", "other"] if FLASK >= (3, 2) else ["broken"])
    assert not flask.has_app_context()


@LANES
async def test_signals(serving: Serving, call: Any, app: Calls, lane: str) -> None:
    """`request_started` is sent once, with the request's context pushed."""
    seen: list[str] = []

    def started(sender: flask.Flask, **_: Any) -> None:
        seen.append(flask.request.path)

    async with serving(app) as asgi:
        with request_started.connected_to(started, app):
            await call(asgi, f"/{lane}/view").start().finish()
    assert seen == [f"/{lane}/view"]


@LANES
async def test_copy_current_request_context(
    serving: Serving, call: Any, app: Calls, lane: str
) -> None:
    """`copy_current_request_context` carries the request into a function that runs later."""

    def build() -> Callable[[], str]:
        @flask.copy_current_request_context
        def later() -> str:
            return flask.request.path

        return later

    @app.get("/sync/copy")
    def sync_copy() -> str:
        return build()()

    @app.get("/async/copy")
    async def async_copy() -> str:
        return await flasync.run_sync(build())

    async with serving(app) as asgi:
        answer = await call(asgi, f"/{lane}/copy").start().finish()
    assert answer.body.decode() == f"/{lane}/copy"
