"""`flasync.exchange`: the order of a request's events, however it goes, in both lanes."""

import asyncio
import io
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import flask
import pytest

import flasync
from conftest import Call, Serving, settle
from flasync import await_

LANES = pytest.mark.parametrize("lane", ["loop", "thread"])


class Log(list[str]):
    """What happens, in order, with a wait that the test ends."""

    def __init__(self, app: flask.Flask) -> None:
        self.gate = asyncio.Event()
        self.reached = asyncio.Event()

        @app.teardown_request
        def teardown(_: BaseException | None) -> None:
            self.append("teardown")

    async def wait(self, name: str = "view") -> None:
        """Wait until the test opens the gate."""
        self.append(f"{name} waits")
        self.reached.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.append(f"{name} cancelled")
            raise


@LANES
async def test_a_plain_request(lane: str, app: flask.Flask, serving: Serving) -> None:
    """Status, headers and body arrive, complete, and teardown has run."""
    log = Log(app)

    @app.get("/<name>")
    async def view(name: str) -> Any:
        return {"hello": name}

    async with serving(app) as asgi:
        call = await Call(asgi, "/world", flasync__lane=lane).start().finish()
    assert (call.status, call.is_complete) == (200, True)
    assert call.headers["content-type"] == "application/json"
    assert flask.json.loads(call.body) == {"hello": "world"}
    assert log == ["teardown"]


@LANES
async def test_the_body_streams_in(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A view reads the body in pieces, by any of the ways to read."""

    @app.post("/")
    def view() -> str:
        stream = flask.request.stream
        return repr([stream.readline(), stream.read(3), stream.read()])

    async with serving(app) as asgi:
        call = Call(asgi, "/", "POST", body=[b"a", b"\nb", b"cd", b"ef"], flasync__lane=lane)
        await call.start().finish()
    assert call.body == repr([b"a\n", b"bcd", b"ef"]).encode()


@LANES
async def test_the_client_leaves_in_its_body(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A body that breaks off ends the request; teardown runs."""
    log = Log(app)

    @app.post("/")
    def view() -> str:
        try:
            return flask.request.get_data(as_text=True)
        finally:
            log.append("view ends")

    async with serving(app) as asgi:
        call = Call(asgi, "/", "POST", body=[b"a"], keeps_body_open=True, flasync__lane=lane)
        call.start()
        await settle()
        call.leave()
        assert (await call.end()).exception() is None
    assert log == ["view ends", "teardown"]


@LANES
async def test_the_client_leaves_a_waiting_view(
    lane: str, app: flask.Flask, serving: Serving
) -> None:
    """The view is cancelled where it waits, its `finally` runs, then teardown; nothing is sent."""
    log = Log(app)

    @app.get("/")
    async def view() -> str:
        try:
            await log.wait()
        finally:
            log.append("finally")
        return "never"

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        await log.reached.wait()
        call.leave()
        task = await call.end()
    assert not task.cancelled()  # the server's task ends in peace
    assert log == ["view waits", "view cancelled", "finally", "teardown"]
    assert call.sent == []


@LANES
@pytest.mark.parametrize("how", ["setting", "mark"])
async def test_not_cancelled_on_disconnect(
    lane: str, how: str, app: flask.Flask, serving: Serving
) -> None:
    """By a setting or a mark a view runs on when its client leaves; its answer is dropped."""
    log = Log(app)

    async def view() -> str:
        await log.wait()
        log.append("view ends")
        return "answer"

    if how == "setting":
        app.config["CANCEL_ON_DISCONNECT"] = False
    else:
        view = flasync.on_loop(cancel_on_disconnect=False)(view)
    app.add_url_rule("/", view_func=view)
    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        await log.reached.wait()
        call.leave()
        await settle()
        log.gate.set()
        assert (await call.end()).exception() is None
    assert log == ["view waits", "view ends", "teardown"]
    assert call.sent == []


@LANES
async def test_cancelled_by_the_server(lane: str, app: flask.Flask, serving: Serving) -> None:
    """The server's own cancellation is passed on to it, after teardown."""
    log = Log(app)

    @app.get("/")
    async def view() -> str:
        await log.wait()
        return "never"

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        await log.reached.wait()
        assert call.task is not None
        call.task.cancel()
        assert (await call.end()).cancelled()
    assert log == ["view waits", "view cancelled", "teardown"]


@LANES
async def test_cancelled_by_both(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A server that cancels after the client has left gets its cancellation."""
    log = Log(app)
    clean_up = asyncio.Event()

    @app.get("/")
    async def view() -> str:
        try:
            await log.wait()
        finally:
            clean_up.set()
            await log.wait("clean-up")
        return "never"

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        await log.reached.wait()
        call.leave()
        await clean_up.wait()
        await settle()
        assert call.task is not None
        call.task.cancel()
        assert (await call.end()).cancelled()
    assert log[-2:] == ["clean-up cancelled", "teardown"]


@LANES
async def test_left_at_the_very_end(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A client that leaves as its request ends cancels nobody: the server's task goes on."""
    log = Log(app)

    @app.get("/")
    async def view() -> str:
        await log.wait()
        return "answer"

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane)

        async def serve() -> str:
            await call.serve()
            await settle()  # the next request of the connection
            return "the server goes on"

        task = asyncio.get_running_loop().create_task(serve())
        await log.reached.wait()
        await settle()

        async def leave(message: dict[str, Any]) -> None:
            call.leave()

        call.on_send = leave
        log.gate.set()
        assert await task == "the server goes on"
    assert task.cancelling() == 0


# --- streams ------------------------------------------------------------------------------------


@LANES
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_each_piece_is_sent_before_the_next_is_asked_for(
    lane: str, kind: str, app: flask.Flask, serving: Serving
) -> None:
    """A stream goes no faster than the server takes its pieces."""
    log = Log(app)

    @app.get("/sync")
    def sync() -> Iterator[str]:
        for number in range(3):
            log.append(f"made {number}")
            yield str(number)

    @app.get("/async")
    async def asynchronous() -> AsyncGenerator[str]:
        for number in range(3):
            await asyncio.sleep(0)
            log.append(f"made {number}")
            yield str(number)

    async def on_send(message: dict[str, Any]) -> None:
        await settle()
        if message.get("body"):
            log.append(f"sent {message['body'].decode()}")

    async with serving(app) as asgi:
        call = Call(asgi, f"/{kind}", flasync__lane=lane)
        call.on_send = on_send
        await call.start().finish()
    expected = [f"{verb} {number}" for number in range(3) for verb in ("made", "sent")]
    assert [entry for entry in log if entry != "teardown"] == expected


@LANES
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_abandoned_stream_is_closed(
    lane: str, kind: str, app: flask.Flask, serving: Serving
) -> None:
    """When the client leaves, the generator is closed, then `call_on_close`, then it is over."""
    log = Log(app)

    def sync() -> Iterator[str]:
        try:
            while True:
                yield "piece"
                await_(log.wait("stream"))
        finally:
            log.append("generator closed")

    async def asynchronous() -> AsyncGenerator[str]:
        try:
            while True:
                yield "piece"
                await log.wait("stream")
        finally:
            await asyncio.sleep(0)
            log.append("generator closed")

    @app.get("/")
    async def view() -> flask.Response:
        # (A sync stream without its context: with it, Flask 3.1 itself runs teardown twice.)
        stream = sync() if kind == "sync" else flask.stream_with_context(asynchronous())
        response = flask.Response(stream)
        response.call_on_close(lambda: log.append("call_on_close"))
        return response

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        await log.reached.wait()
        call.leave()
        assert (await call.end()).exception() is None
    stream = ["stream waits", "stream cancelled", "generator closed"]
    if kind == "sync":
        assert log == ["teardown", *stream, "call_on_close"]
    else:
        assert log == [*stream, "teardown", "call_on_close"]
    assert not call.is_complete


@LANES
async def test_a_send_that_fails(lane: str, app: flask.Flask, serving: Serving) -> None:
    """OSError from `send` means that the client has left: the stream is closed, and no error."""
    log = Log(app)

    @app.get("/")
    async def view() -> AsyncGenerator[str]:
        try:
            while True:
                yield "piece"
        finally:
            log.append("closed")

    async def on_send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane)
        call.on_send = on_send
        assert (await call.start().end()).exception() is None
    assert sorted(log) == ["closed", "teardown"]


@LANES
async def test_many_open_streams(lane: str, app: flask.Flask, serving: Serving) -> None:
    """Many streams are open at once in few threads, and a bystander is still answered."""
    app.config["WORKER_THREADS"] = 2
    log = Log(app)

    @app.get("/stream")
    def stream() -> Iterator[str]:
        yield "first"
        await_(log.gate.wait())
        yield "last"

    @app.get("/")
    def bystander() -> str:
        return "fine"

    async with serving(app) as asgi:
        calls = [Call(asgi, "/stream", flasync__lane=lane).start() for _ in range(20)]
        for call in calls:
            await call.wait_pieces(1)
        assert (await Call(asgi, "/").start().finish()).body == b"fine"
        log.gate.set()
        for call in calls:
            assert (await call.finish()).body == b"firstlast"
    assert log.count("teardown") == 21


# --- time limits --------------------------------------------------------------------------------


@LANES
async def test_response_timeout(
    lane: str, app: flask.Flask, serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """A response that is not taken in time is cut off, closed, and named in the log."""
    app.config["RESPONSE_TIMEOUT"] = 0.001
    log = Log(app)

    @app.get("/slow")
    def view() -> Iterator[str]:
        try:
            yield "piece"
            await_(log.wait("stream"))
        finally:
            log.append("closed")

    async with serving(app) as asgi:
        call = Call(asgi, "/slow", flasync__lane=lane).start()
        assert (await call.end()).exception() is None
    assert not call.is_complete
    assert log[-1] == "closed"
    assert "GET /slow" in caplog.text
    assert "RESPONSE_TIMEOUT" in caplog.text


@LANES
async def test_body_timeout(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A client that falls silent in the middle of its body is answered 408."""
    app.config["BODY_TIMEOUT"] = 0.001
    app.config["PROPAGATE_EXCEPTIONS"] = None

    @app.post("/")
    def view() -> bytes:
        return flask.request.get_data()

    async with serving(app) as asgi:
        call = Call(asgi, "/", "POST", body=[b"a"], keeps_body_open=True, flasync__lane=lane)
        assert (await call.start().finish()).status == 408


# --- others -------------------------------------------------------------------------------------


@LANES
async def test_write(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A WSGI middleware may use the deprecated `write`."""

    def middleware(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written ")
        return [b"returned"]

    app.wsgi_app = middleware  # type: ignore[assignment]
    async with serving(app) as asgi:
        call = await Call(asgi, flasync__lane=lane).start().finish()
    assert (call.body, call.is_complete) == (b"written returned", True)


@LANES
async def test_send_file(lane: str, app: flask.Flask, serving: Serving) -> None:
    """A file is sent in blocks and closed."""
    file = io.BytesIO(b"x" * 600_000)

    @app.get("/")
    def view() -> flask.Response:
        return flask.send_file(file, mimetype="text/plain")

    async with serving(app) as asgi:
        call = await Call(asgi, flasync__lane=lane).start().finish()
    assert len(call.body) == 600_000
    assert file.closed


async def test_a_view_at_work_is_not_torn_down(app: flask.Flask, serving: Serving) -> None:
    """The client leaves during a sync view: teardown comes strictly after the view."""
    log = Log(app)
    begun = asyncio.Event()
    may_end = threading.Event()

    @app.get("/")
    def view() -> str:
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(timeout=60)
        log.append("view ends")
        return "answer"

    loop = asyncio.get_running_loop()
    async with serving(app) as asgi:
        call = Call(asgi).start()
        await begun.wait()
        call.leave()
        await settle()
        assert log == []
        may_end.set()
        await call.end()
    assert log == ["view ends", "teardown"]


async def test_left_while_waiting_in_line(app: flask.Flask, serving: Serving) -> None:
    """A client that leaves while its request waits for a thread is served no more."""
    app.config["WORKER_THREADS"] = 1
    log = Log(app)
    begun = asyncio.Event()
    may_end = threading.Event()

    @app.get("/first")
    def first() -> str:
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(timeout=60)
        return "first"

    @app.get("/second")
    def second() -> str:
        log.append("second ran")
        return "second"

    loop = asyncio.get_running_loop()
    async with serving(app) as asgi:
        one = Call(asgi, "/first").start()
        await begun.wait()
        two = Call(asgi, "/second").start()
        await settle()
        two.leave()
        await two.end()
        may_end.set()
        await one.finish()
    assert log == ["teardown"]


@LANES
async def test_shutdown_with_an_open_stream(
    lane: str, app: flask.Flask, serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that outlives the shutdown is still closed in order when the server cancels it."""
    app.config["GRACEFUL_TIMEOUT"] = 0.001
    log = Log(app)

    @app.get("/")
    def view() -> Iterator[str]:
        try:
            yield "piece"
            await_(log.wait("stream"))
        finally:
            log.append("closed")

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane).start()
        await log.reached.wait()
    assert "still under way" in caplog.text
    assert call.task is not None
    call.task.cancel()
    assert (await call.end()).cancelled()
    assert log[-1] == "closed"


@LANES
async def test_a_send_with_the_servers_own_error(
    lane: str, app: flask.Flask, serving: Serving
) -> None:
    """Any other error of `send` is the server's to see, after everything is closed."""
    log = Log(app)

    @app.get("/")
    async def view() -> flask.Response:
        response = flask.Response("body")

        def close() -> None:
            await_(asyncio.sleep(0))
            log.append("closed")

        response.call_on_close(close)
        return response

    async def on_send(message: dict[str, Any]) -> None:
        raise RuntimeError("the server's own")

    async with serving(app) as asgi:
        call = Call(asgi, flasync__lane=lane)
        call.on_send = on_send
        error = (await call.start().end()).exception()
    assert isinstance(error, RuntimeError)
    assert log == ["teardown", "closed"]
