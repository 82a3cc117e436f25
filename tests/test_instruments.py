"""`flasync.instruments`: what a watcher is told of a request, in which order, in which Context."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import flask
import pytest
from greenlet import greenlet

import flasync
from conftest import Call, Serving
from flasync import await_, instruments, run_sync
from flasync.bridge import BridgeGreenlet, walk_frames
from flasync.errors import SettingError

LANES = pytest.mark.parametrize("lane", ["loop", "thread"])

name: contextvars.ContextVar[str] = contextvars.ContextVar("name")


class Diary(instruments.Watcher):
    """Notes what it is told, by the path of the request that it finds in the Context."""

    def __init__(self, app: object = None) -> None:
        self.app = app
        self.lines: list[str] = []
        self.places: list[list[str]] = []

    def list_of(self, path: str) -> list[str]:
        """What was noted of a path."""
        return [line.partition(" ")[2] for line in self.lines if line.startswith(f"{path} ")]

    def receive(self, environ: Mapping[str, Any], lane: str) -> None:
        name.set(environ["PATH_INFO"])
        self._note(f"receive {lane}")

    def queue(self, threads: int) -> None:
        self._note(f"queue {threads}")

    def run(self, greenlet: greenlet, lane: str) -> None:
        assert greenlet.gr_context is not None
        self.lines.append(f"{greenlet.gr_context[name]} run {lane}")

    def pause(self, greenlet: greenlet, awaited: object) -> None:
        assert isinstance(greenlet, BridgeGreenlet)
        assert greenlet.gr_context is not None
        waits = "waits" if greenlet.busy else "ended"
        self.lines.append(f"{greenlet.gr_context[name]} pause {waits}")
        self.places.append([frame.f_code.co_name for frame in walk_frames(greenlet)])

    def send(self, messages: list[Any]) -> None:
        self._note(f"send {len(messages)}")

    def sent(self) -> None:
        self._note("sent")

    def end(self) -> None:
        self._note("end")

    def _note(self, what: str) -> None:
        self.lines.append(f"{name.get()} {what}")


@pytest.fixture
def diary() -> Iterator[Diary]:
    """The watcher of the test's process."""
    watcher = Diary()
    instruments.set_watcher(watcher)
    yield watcher
    instruments.set_watcher(None)


async def test_a_waiting_view_on_the_loop(app: flask.Flask, serving: Serving, diary: Diary) -> None:
    """Each stretch begins and ends, and the place of a wait reads from the inside out."""

    async def rest() -> None:
        await asyncio.sleep(0)

    @app.get("/")
    async def view() -> str:
        await rest()
        return ""

    async with serving(app) as asgi:
        await Call(asgi).start().finish()
    assert diary.list_of("/") == [
        "receive loop",
        "run loop",
        "pause waits",
        "run loop",
        "send 2",
        "sent",
        "pause ended",
        "end",
    ]
    waiting = [place for place in diary.places if "rest" in place]
    assert [[code for code in place if code in {"rest", "view"}] for place in waiting] == [
        ["rest", "view"]
    ]


async def test_a_waiting_stream_on_the_loop(
    app: flask.Flask, serving: Serving, diary: Diary
) -> None:
    """The place of a stream's wait is in its generator, and in the one that it reads."""

    async def inner() -> AsyncGenerator[str]:
        await asyncio.sleep(0)
        yield "one"

    @app.get("/")
    async def view() -> AsyncGenerator[str]:
        async for piece in inner():
            yield piece

    async with serving(app) as asgi:
        await Call(asgi).start().finish()
    waiting = [place for place in diary.places if "inner" in place]
    assert [[code for code in place if code in {"inner", "view"}] for place in waiting] == [
        ["inner", "view"]
    ]


async def test_a_sync_view_in_a_thread(app: flask.Flask, serving: Serving, diary: Diary) -> None:
    """A sync view queues for a thread; its wait is a pause there; the loop sends."""

    @app.get("/")
    def view() -> str:
        await_(asyncio.sleep(0))
        return ""

    async with serving(app) as asgi:
        await Call(asgi).start().finish()
    lines = diary.list_of("/")
    assert lines[:5] == ["receive thread", "queue 40", "run thread", "run loop", "pause waits"] or (
        lines[:4] == ["receive thread", "queue 40", "run thread", "pause waits"]
    )
    assert [line for line in lines if "thread" in line] == [
        "receive thread",
        "run thread",
        "run thread",
    ]
    assert lines[-1] == "end"
    assert lines.index("send 2") < lines.index("sent") < lines.index("end")


async def test_a_thread_of_a_loop_request(app: flask.Flask, serving: Serving, diary: Diary) -> None:
    """`run_sync` queues and runs in a thread while the view's own greenlet is paused."""

    @app.get("/")
    async def view() -> str:
        return await run_sync(str, 1)

    async with serving(app) as asgi:
        assert (await Call(asgi).start().finish()).body == b"1"
    lines = diary.list_of("/")
    assert lines[:2] == ["receive loop", "run loop"]
    assert lines.index("queue 40") < lines.index("run thread")
    assert lines.count("run thread") == 1


async def test_child_tasks_belong_to_their_request(
    app: flask.Flask, serving: Serving, diary: Diary
) -> None:
    """The stretches of `gather`'s children are told with the Context of their request."""

    @app.get("/")
    async def view() -> str:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        return ""

    async with serving(app) as asgi:
        await Call(asgi).start().finish()
    lines = diary.list_of("/")
    assert lines.count("pause ended") == 3
    assert lines.count("run loop") == lines.count("pause ended") + lines.count("pause waits")


@LANES
async def test_streams(lane: str, app: flask.Flask, serving: Serving, diary: Diary) -> None:
    """Each piece of a stream is sent by itself."""

    @app.get("/")
    async def view() -> AsyncGenerator[str]:
        yield "one"
        yield "two"

    async with serving(app) as asgi:
        call = await Call(asgi, flasync__lane=lane).start().finish()
    assert call.body == b"onetwo"
    lines = diary.list_of("/")
    assert len([line for line in lines if line.startswith("send ")]) == lines.count("sent") >= 3
    assert lines[-1] == "end"


@LANES
async def test_failures_and_departures_end_too(
    lane: str, app: flask.Flask, serving: Serving, diary: Diary
) -> None:
    """A request that fails, or whose client leaves, is told its end, once."""
    reached = asyncio.Event()

    @app.get("/fail")
    async def fail() -> str:
        raise LookupError

    @app.get("/leave")
    async def leave() -> str:
        reached.set()
        await asyncio.Event().wait()
        return ""

    async with serving(app) as asgi:
        failed = await Call(asgi, "/fail", flasync__lane=lane).start().end()
        assert isinstance(failed.exception(), LookupError)
        left = Call(asgi, "/leave", flasync__lane=lane).start()
        await reached.wait()
        left.leave()
        await left.end()
    for path in ("/fail", "/leave"):
        assert diary.list_of(path)[-1] == "end"
        assert diary.list_of(path).count("end") == 1


async def test_messages_may_be_changed(app: flask.Flask, serving: Serving) -> None:
    """A watcher may add a header to a response that is about to be sent."""

    class Stamp(instruments.Watcher):
        def send(self, messages: list[Any]) -> None:
            if messages[0]["type"] == "http.response.start":
                messages[0]["headers"].append((b"x-stamp", b"1"))

    app.add_url_rule("/", view_func=lambda: "")
    instruments.set_watcher(Stamp())
    try:
        async with serving(app) as asgi:
            call = await Call(asgi).start().finish()
    finally:
        instruments.set_watcher(None)
    assert call.headers["x-stamp"] == "1"


async def test_the_environment_names_a_watcher(
    app: flask.Flask, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that the environment names makes the watcher when serving begins."""
    monkeypatch.setenv(instruments.VARIABLE, f"{__name__}:Diary")
    app.add_url_rule("/", view_func=lambda: "")
    try:
        async with serving(app) as asgi:
            await Call(asgi).start().finish()
            watcher: Any = instruments.watcher
    finally:
        instruments.set_watcher(None)
    assert watcher.app is app
    assert watcher.list_of("/")[-1] == "end"


@pytest.mark.parametrize("target", ["nowhere:build", "os:nothing", "os", ":build", ""])
def test_a_watcher_that_is_not_there(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that cannot be imported is refused, with the variable and the way out."""
    monkeypatch.setenv(instruments.VARIABLE, target)
    with pytest.raises(SettingError, match=r"FLASYNC_WATCHER is .* Name a function as"):
        instruments.load_watcher(flasync.Flask("example"))
