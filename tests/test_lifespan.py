"""`flasync.lifespan`: the serving hooks, their order, their context, and their failures."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any

import flask
import pytest

import flasync
from conftest import Call, Serving
from flasync import await_
from flasync.asgi import ASGI
from flasync.errors import LifespanMisuse


async def echo(value: Any) -> Any:
    """Return a value after a turn of the loop."""
    await asyncio.sleep(0)
    return value


async def test_order(app: flask.Flask, serving: Serving) -> None:
    """before, first halves, requests, second halves, after: as in Quart."""
    asgi = ASGI(app)
    log: list[str] = []

    @asgi.while_serving
    async def around() -> AsyncGenerator[None]:
        log.append("first half")
        yield
        log.append("second half")

    @asgi.before_serving
    async def before() -> None:
        log.append("before")

    @asgi.after_serving
    def after() -> None:
        log.append("after")

    @app.get("/")
    async def view() -> str:
        log.append("request")
        return ""

    async with serving(asgi):
        await Call(asgi).start().finish()
    assert log == ["before", "first half", "request", "second half", "after"]


async def test_where_hooks_run(app: flask.Flask, serving: Serving) -> None:
    """Async hooks run on the serving loop, sync ones in a thread; both in the app's context."""
    app.config["WORKER_THREADS"] = 2  # a pool of the app's own, which ends with the serving
    asgi = ASGI(app)
    seen: list[tuple[str, bool, str]] = []
    loop_thread = threading.get_ident()

    def note(name: str) -> None:
        on_loop = threading.get_ident() == loop_thread
        seen.append((name, on_loop, flask.current_app.name))

    @asgi.before_serving
    async def asynchronous() -> None:
        note("async")

    @asgi.before_serving
    def synchronous() -> None:
        note("sync")

    async with serving(asgi):
        pass
    assert seen == [("async", True, "example"), ("sync", False, "example")]


@pytest.mark.parametrize("kind", ["async", "sync", "generator"])
async def test_await_in_hooks(kind: str, app: flask.Flask, serving: Serving) -> None:
    """Sync code below any hook may wait."""
    asgi = ASGI(app)
    seen: list[str] = []

    def sync() -> None:
        seen.append(await_(echo(kind)))

    async def asynchronous() -> None:
        sync()

    async def generator() -> AsyncGenerator[None]:
        sync()
        yield
        sync()

    if kind == "generator":
        asgi.while_serving(generator)
    else:
        asgi.before_serving(sync if kind == "sync" else asynchronous)
    async with serving(asgi):
        pass
    assert set(seen) == {kind}


async def test_failures_at_shutdown(app: flask.Flask, serving: Serving) -> None:
    """Every hook gets its turn at shutdown, and all their errors are raised together."""
    asgi = ASGI(app)
    log: list[str] = []

    @asgi.while_serving
    async def around() -> AsyncGenerator[None]:
        yield
        raise ValueError("first")

    @asgi.after_serving
    async def failing() -> None:
        raise ValueError("second")

    @asgi.after_serving
    async def last() -> None:
        log.append("last")

    with pytest.raises(ExceptionGroup) as info:
        async with serving(asgi):
            pass
    assert [str(error) for error in info.value.exceptions] == ["first", "second"]
    assert log == ["last"]


async def test_generator_with_two_yields(app: flask.Flask, serving: Serving) -> None:
    """A generator with a second yield is closed, and told what is wanted."""
    asgi = ASGI(app)
    log: list[str] = []

    @asgi.while_serving
    async def twice() -> AsyncGenerator[None]:
        try:
            yield
            yield
        finally:
            log.append("closed")

    with pytest.raises(ExceptionGroup) as info:
        async with serving(asgi):
            pass
    assert isinstance(info.value.exceptions[0], LifespanMisuse)
    assert log == ["closed"]


def test_wrong_functions() -> None:
    """Only an async generator function is one for `while_serving`."""
    app = flasync.Flask("example")
    with pytest.raises(LifespanMisuse, match="async generator"):
        app.while_serving(lambda: None)


async def test_too_late(serving: Serving) -> None:
    """A hook registered while the app is served would not run: that is an error."""
    app = flasync.Flask("example")
    async with serving(app):
        with pytest.raises(LifespanMisuse, match="after serving had begun"):
            app.before_serving(lambda: None)
    app.before_serving(lambda: None)


async def test_serving_again(serving: Serving) -> None:
    """An app can be served, stopped, and served again."""
    app = flasync.Flask("example")
    log: list[str] = []
    app.before_serving(lambda: log.append("start"))
    app.after_serving(lambda: log.append("stop"))
    for _ in range(2):
        async with serving(app):
            pass
    assert log == ["start", "stop"] * 2


async def test_failure_at_startup(app: flask.Flask, serving: Serving) -> None:
    """A hook that fails stops the startup; what was opened before it is closed again."""
    asgi = ASGI(app)
    log: list[str] = []

    @asgi.while_serving
    async def around() -> AsyncGenerator[None]:
        log.append("opened")
        yield
        log.append("closed")

    @asgi.while_serving
    async def failing() -> AsyncGenerator[None]:
        raise ValueError("oops")
        yield

    with pytest.raises(RuntimeError, match="ValueError: oops"):
        async with serving(asgi):
            pass
    assert log == ["opened", "closed"]


async def test_generator_without_a_yield(app: flask.Flask, serving: Serving) -> None:
    """A generator that ends without a yield is told what is wanted, and nothing is left."""
    asgi = ASGI(app)

    @asgi.while_serving
    async def never() -> AsyncGenerator[None]:
        for _ in ():
            yield

    with pytest.raises(RuntimeError, match="without a yield"):
        async with serving(asgi):
            pass
