"""`flasync.runtime`: an app on a loop, from its startup to its last request."""

import asyncio

import flask
import pytest

from conftest import Call, Serving, find_threads, settle
from flasync import portal
from flasync.asgi import ASGI


async def test_the_serving_loop_is_the_process_loop(app: flask.Flask, serving: Serving) -> None:
    """While an app is served its loop is the process's, and not after."""
    loop = asyncio.get_running_loop()
    async with serving(app):
        assert portal.get_loop() is loop
    assert not portal.is_process_loop(loop)


@pytest.mark.parametrize("timeout_s", [30, None])
async def test_shutdown_waits_for_requests(
    timeout_s: float | None, app: flask.Flask, serving: Serving
) -> None:
    """Requests under way are ended before the hooks of shutdown run."""
    app.config["GRACEFUL_TIMEOUT"] = timeout_s
    asgi = ASGI(app)
    log: list[str] = []
    begun, gate = asyncio.Event(), asyncio.Event()

    @asgi.after_serving
    async def after() -> None:
        log.append("after_serving")

    @app.get("/")
    async def view() -> str:
        begun.set()
        await gate.wait()
        log.append("view ends")
        return ""

    async with serving(asgi):
        call = Call(asgi).start()
        await begun.wait()
        asyncio.get_running_loop().call_soon(gate.set)
    await call.finish()
    assert log == ["view ends", "after_serving"]


async def test_threads_end_with_serving(app: flask.Flask, serving: Serving) -> None:
    """The worker threads are there while the app is served."""

    @app.get("/")
    def view() -> str:
        return ""

    async with serving(app) as asgi:
        await Call(asgi).start().finish()
        assert "flasync-1" in find_threads()
    assert find_threads() == []


async def test_two_apps_on_one_loop(serving: Serving) -> None:
    """Stopping one app takes neither thread nor loop from the other."""
    first, second = flask.Flask("first"), flask.Flask("second")
    for app in (first, second):
        app.add_url_rule("/", "view", lambda: "answer")
    async with serving(second) as second_asgi:
        async with serving(first) as first_asgi:
            assert (await Call(first_asgi).start().finish()).body == b"answer"
        await settle()
        assert (await Call(second_asgi).start().finish()).body == b"answer"
        assert portal.get_loop() is asyncio.get_running_loop()
