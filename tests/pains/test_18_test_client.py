"""The stock `app.test_client()` of an existing suite works as before, wrapped or not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import flask
import pytest

import flasync


def wrap(app_class: type[flask.Flask]) -> flask.Flask:
    """An app of that class with views of both kinds."""
    app = app_class(__name__)
    app.secret_key = "not a secret: this app serves tests only"
    app.extensions["torn_down"] = []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        app.extensions["torn_down"].append(flask.request.path)

    @app.post("/sync/login")
    def sync_login() -> str:
        flask.session["user"] = flask.request.form["user"]
        flask.g.seen = "sync"
        return "welcome"

    @app.post("/async/login")
    async def async_login() -> str:
        await asyncio.sleep(0)
        flask.session["user"] = flask.request.form["user"]
        flask.g.seen = "async"
        return "welcome"

    @app.get("/sync/me")
    def sync_me() -> Any:
        return {"user": flask.session.get("user")}

    @app.get("/async/me")
    async def async_me() -> Any:
        await asyncio.sleep(0)
        return {"user": flask.session.get("user")}

    @app.get("/sync/stream")
    def sync_stream() -> Iterator[str]:
        return flask.stream_with_context(iter([flask.request.path, " streamed"]))

    @app.get("/async/stream")
    async def async_stream() -> AsyncIterator[str]:
        async def generate() -> AsyncIterator[str]:
            yield flask.request.path
            await asyncio.sleep(0)
            yield " streamed"

        return flask.stream_with_context(generate())

    @app.get("/sync/error")
    def sync_error() -> str:
        raise LookupError("sync")

    @app.get("/async/error")
    async def async_error() -> str:
        await asyncio.sleep(0)
        raise LookupError("async")

    return app


def build_plain() -> flask.Flask:
    """A plain Flask app around which an ASGI object exists."""
    app = wrap(flask.Flask)
    flasync.ASGI(app)
    return app


def build_flasync() -> flask.Flask:
    """The drop-in subclass."""
    return wrap(flasync.Flask)


@pytest.fixture(params=[build_plain, build_flasync], ids=["flasync.ASGI", "flasync.Flask"])
def app(request: pytest.FixtureRequest) -> flask.Flask:
    """An app that flasync has touched."""
    build: Callable[[], flask.Flask] = request.param
    return build()


pytestmark = pytest.mark.usefixtures("background_loop")
LANES = pytest.mark.parametrize("lane", ["sync", "async"])


@LANES
def test_requests_and_cookies(app: flask.Flask, lane: str) -> None:
    """The client logs in and is remembered."""
    client = app.test_client()
    assert client.get(f"/{lane}/me").json == {"user": None}
    assert client.post(f"/{lane}/login", data={"user": "ada"}).text == "welcome"
    assert client.get(f"/{lane}/me").json == {"user": "ada"}


def observe_with_client(app: flask.Flask, lane: str) -> list[object]:
    """What a test sees inside and after `with client:`, teardowns included."""
    torn_down: list[str] = app.extensions["torn_down"]
    with app.test_client() as client:
        client.post(f"/{lane}/login", data={"user": "ada"})
        seen: list[object] = [flask.request.path, flask.g.seen, flask.session["user"], *torn_down]
        client.get(f"/{lane}/me")
        seen += ["then", flask.request.path, *torn_down]
    return [*seen, "after", flask.has_request_context(), *torn_down]


@LANES
def test_with_client_keeps_the_context(app: flask.Flask, lane: str) -> None:
    """Inside `with client:` the test reads `request`, `g` and `session`, exactly as with Flask."""
    seen = observe_with_client(app, lane)
    assert seen[:3] == [f"/{lane}/login", lane, "ada"]
    assert seen == observe_with_client(wrap(flask.Flask), lane)


@LANES
def test_session_transaction(app: flask.Flask, lane: str) -> None:
    """`session_transaction` writes what the view reads."""
    with app.test_client() as client:
        with client.session_transaction() as session:
            session["user"] = "grace"
        assert client.get(f"/{lane}/me").json == {"user": "grace"}


@LANES
def test_streams(app: flask.Flask, lane: str) -> None:
    """A streamed response is read whole, with the context kept."""
    assert app.test_client().get(f"/{lane}/stream").text == f"/{lane}/stream streamed"


@LANES
def test_errors_propagate_in_testing(app: flask.Flask, lane: str) -> None:
    """With TESTING, a view's exception reaches the test; without, it is a 500."""
    app.testing = True
    with pytest.raises(LookupError, match=lane):
        app.test_client().get(f"/{lane}/error")
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get(f"/{lane}/error").status_code == 500


@LANES
def test_test_request_context(app: flask.Flask, lane: str) -> None:
    """Views are dispatched by hand in `test_request_context`, as many suites do."""
    with app.test_request_context(f"/{lane}/me"):
        app.preprocess_request()
        assert app.full_dispatch_request().json == {"user": None}


@LANES
def test_inside_a_running_loop(app: flask.Flask, lane: str) -> None:
    """A suite of async tests may use the client in a thread while its own loop runs."""

    async def test() -> str:
        return await asyncio.to_thread(lambda: app.test_client().get(f"/{lane}/me").text)

    assert '"user"' in asyncio.run(test())


def test_cli_runner(app: flask.Flask) -> None:
    """A command of the app's may wait for a coroutine."""

    @app.cli.command("wait")
    def wait() -> None:
        flask.current_app.logger.debug("waiting")
        print(flasync.await_(asyncio.sleep(0, result="waited")))

    assert app.test_cli_runner().invoke(args=["wait"]).output == "waited\n"
