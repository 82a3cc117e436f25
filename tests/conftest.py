"""What the runtime's tests share: event loops, a client at the ASGI level, and a look for leaks.

An `async def` test runs once on each kind of event loop. When a test has ended, nothing of it may
be left: no pushed Flask context, no greenlet in the middle of a request, no task, no thread.
"""

import asyncio
import gc
import inspect
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import flask
import pytest
import uvloop

import flasync
from flasync import portal
from flasync.asgi import ASGI
from flasync.bridge import BridgeGreenlet

LOOPS = ["asyncio", "uvloop"]
if sys.version_info >= (3, 12):
    LOOPS.append("eager")

# Turns of the loop after which whatever was cancelled or has ended is gone.
SETTLING_TURNS = 20


async def settle() -> None:
    """Let the loop run what is ready: callbacks, cancelled tasks, finished ones."""
    for _ in range(SETTLING_TURNS):
        await asyncio.sleep(0)


# --- event loops -------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each `async def` test on every kind of event loop."""
    if inspect.iscoroutinefunction(metafunc.function):
        metafunc.fixturenames.append("loop_kind")
        metafunc.parametrize("loop_kind", LOOPS)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test to its end, and fail it for tasks and errors that it leaves."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    run_on_loop(pyfuncitem.callspec.params["loop_kind"], lambda: pyfuncitem.obj(**arguments))
    return True


def run_on_loop(kind: str, main: Callable[[], Awaitable[Any]]) -> Any:
    """Run `main` on a new loop of a kind; fail for what the loop complains of."""
    complaints: list[dict[str, Any]] = []

    async def run() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))
        if kind == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # 3.12
        try:
            result = await main()
        finally:
            portal.release(loop)
        await settle()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"
        return result

    factory = uvloop.new_event_loop if kind == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(run())
    assert not complaints, f"the loop complains: {complaints}"
    return result


# --- leaks -------------------------------------------------------------------------------------


def find_busy_greenlets() -> list[BridgeGreenlet]:
    """Return the request greenlets that are in the middle of something."""
    return [
        item
        for item in gc.get_objects()
        if issubclass(type(item), BridgeGreenlet) and item.busy and not item.dead
    ]


def find_threads() -> list[str]:
    """Return the names of flasync's threads: workers, and the background loop's."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("flasync-")]


@pytest.fixture(scope="module", autouse=True)
def _garbage_of_others() -> None:
    """Collect what earlier modules have left, frozen or not."""
    gc.unfreeze()
    gc.collect()


@pytest.fixture
def contexts() -> Generator[list[str]]:
    """The app contexts pushed and popped so far, in any thread: "push" and "pop"."""
    log: list[str] = []

    def push(_: Any) -> None:
        log.append("push")

    def pop(_: Any) -> None:
        log.append("pop")

    with (
        flask.appcontext_pushed.connected_to(push),
        flask.appcontext_popped.connected_to(pop),
    ):
        yield log


@pytest.fixture(autouse=True)
def _nothing_left(contexts: list[str]) -> Generator[None]:
    """Fail a test that leaves something of flasync's behind."""
    before = set(threading.enumerate())
    # What exists already is not the test's: kept out of the garbage collector's way, it is neither
    # collected nor searched at the end, which took longer than most tests.
    gc.freeze()
    yield
    gc.collect()
    assert contexts.count("push") == contexts.count("pop"), "an app context is still pushed"
    assert not flask.has_app_context(), "an app context is pushed in the test's own context"
    assert not find_busy_greenlets(), "a request greenlet is in the middle of something"
    left = [t.name for t in set(threading.enumerate()) - before if t.name.startswith("flasync-")]
    assert not left, f"threads are left: {left}"


@pytest.fixture
def background_loop() -> Generator[None]:
    """Let the test start the background loop, and stop it afterwards."""
    yield
    portal.stop_background()


# --- a client at the ASGI level ----------------------------------------------------------------


class Call:
    """One request to an ASGI app, by a client that does all that a real one can.

    Args:
        app: The ASGI app.
        path: The path, with the query after a "?".
        method: The method.
        headers: (name, value) pairs of bytes.
        body: The pieces in which the body arrives; it ends after them.
        keeps_body_open: Whether more of the body is announced, and never comes.
        scope: Entries laid over the scope.
    """

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        path: str = "/",
        method: str = "GET",
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: Iterable[bytes] = (),
        keeps_body_open: bool = False,
        **scope: Any,
    ) -> None:
        self._app = app
        path, _, query = path.partition("?")
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"localhost"), *headers],
            "client": ("127.0.0.1", 40000),
            "server": ("localhost", 80),
            **{key.replace("__", "."): value for key, value in scope.items()},
        }
        pieces = list(body) or [b""]
        self._inbox = [
            {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
        ]
        self._inbox[-1]["more_body"] = keeps_body_open
        loop = asyncio.get_running_loop()
        self._gone = loop.create_future()
        self.sent: list[dict[str, Any]] = []
        self.received = 0
        self.on_send: Callable[[dict[str, Any]], Awaitable[None]] | None = None
        self._arrivals: list[asyncio.Future[None]] = []
        self.task: asyncio.Task[None] | None = None

    def start(self) -> "Call":
        """Begin the request in a task of its own, as a server does."""
        self.task = asyncio.get_running_loop().create_task(self.serve())
        return self

    async def serve(self) -> None:
        """Run the request in this task."""
        await self._app(self.scope, self.receive, self.send)

    async def finish(self) -> "Call":
        """Wait for the request's end; raise what the app raised."""
        assert self.task is not None
        await self.task
        return self

    async def end(self) -> asyncio.Task[None]:
        """Wait for the request's end, whatever it is."""
        assert self.task is not None
        await asyncio.wait([self.task])
        return self.task

    async def receive(self) -> dict[str, Any]:
        """The server's `receive`: the pieces of the body, then nothing until the client leaves."""
        self.received += 1
        if self._inbox:
            return self._inbox.pop(0)
        await asyncio.shield(self._gone)
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """The server's `send`."""
        self.sent.append(message)
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)
        if self.on_send is not None:
            await self.on_send(message)

    def leave(self) -> None:
        """Be gone from now on."""
        if not self._gone.done():
            self._gone.set_result(None)

    async def wait_pieces(self, count: int) -> None:
        """Wait until that many non-empty pieces of the response have arrived."""
        while sum(bool(message.get("body")) for message in self.sent) < count:
            arrival = asyncio.get_running_loop().create_future()
            self._arrivals.append(arrival)
            await arrival

    @property
    def status(self) -> int:
        """The response's status."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The response's headers, the last of each name."""
        return {key.decode(): value.decode("latin-1") for key, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        """What has arrived of the response's body."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def is_complete(self) -> bool:
        """Whether the response has reached its end."""
        return bool(self.sent) and not self.sent[-1].get("more_body", True)


@pytest.fixture
def call() -> type[Call]:
    """The class of one request to an ASGI app, at the level of ASGI messages."""
    return Call


Serving = Callable[..., AbstractAsyncContextManager[ASGI]]


@pytest.fixture
def serving() -> Serving:
    """An async context manager: an app is served inside it, with the lifespan protocol."""

    @asynccontextmanager
    async def serve(app: flask.Flask | ASGI) -> AsyncGenerator[ASGI]:
        asgi: Any = app if isinstance(app, ASGI | flasync.Flask) else ASGI(app)
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        task = asyncio.get_running_loop().create_task(
            asgi({"type": "lifespan"}, inbox.get, outbox.put)
        )
        inbox.put_nowait({"type": "lifespan.startup"})
        answer = await outbox.get()
        if answer["type"] != "lifespan.startup.complete":
            with suppress(BaseException):
                await task
            raise RuntimeError(answer["message"])
        try:
            yield asgi
        finally:
            inbox.put_nowait({"type": "lifespan.shutdown"})
            await task

    return serve


@pytest.fixture
def app() -> flask.Flask:
    """A plain Flask app whose errors reach the test."""
    app = flask.Flask("example")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app
