"""Fault injection: a request is struck at every one of its switches, and always ends cleanly.

The request uses sync and async hooks, a sync SQLAlchemy session over an async driver, a streamed
response that keeps its context, and teardown functions that wait. A `Striker` steps the request's
coroutine as a task would, counts each future that is handed up to the loop (a switch), and
strikes at the switches that it is told. Each way to strike is tried at every switch in turn, until
a run ends without having come that far; then at every two switches in a row.

What must hold each time: whatever was begun is ended, teardown ran once for each context, after the
view and after the stream; the session is closed and its connection back in the pool; no context,
task, greenlet, worker or thread of the request is left; the next request is served.
"""

import asyncio
import os
import types
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import flask
import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import AsyncAdaptedQueuePool

from conftest import Call, Serving, find_busy_greenlets, settle
from flasync import await_, run_sync
from flasync.asgi import ASGI

LANES = ["loop", "thread"]
# More switches than any run has: a fuse for the search for the last one.
MOST_SWITCHES = 300
# Seconds after which a task that has not ended by itself never will.
DEADLINE_S = 60


class Base(DeclarativeBase):
    """The models of this test."""


class Item(Base):
    """A row to read: SQLite's locks would make one request wait for another's clean-up."""

    __tablename__ = "flasync_faults"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Struck(Exception):
    """What an awaited thing raises when it is struck."""


class World:
    """The app, its database, and the log of one request."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.log: list[str] = []
        self.pauses = 0
        self.fails_at = 0
        self.open_sessions: set[Session] = set()
        self.pushed: list[str] = []
        self.app = self._build_app()

    def clear(self) -> None:
        """Begin a new log."""
        self.log.clear()
        self.pauses = 0
        self.fails_at = 0

    async def pause(self, name: str) -> None:
        """Wait for a turn of the loop, as for a driver's answer; fail where that is wanted."""
        self.pauses += 1
        if self.pauses == self.fails_at:
            raise Struck(name)
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        loop.call_soon(lambda: answer.done() or answer.set_result(None))
        await answer

    def begin(self, name: str) -> "World.Part":
        """Log that a part of the request begins and, however it ends, that it ended."""
        return World.Part(self.log, name)

    class Part:
        """A part of the request, from its first line to its last."""

        def __init__(self, log: list[str], name: str) -> None:
            self._log = log
            self._name = name

        def __enter__(self) -> None:
            self._log.append(f"{self._name} begins")

        def __exit__(self, *_: object) -> None:
            self._log.append(f"{self._name} ends")

    def _build_app(self) -> flask.Flask:  # noqa: PLR0915  one app, of many short functions
        app = flask.Flask("faults")
        app.config["WORKER_THREADS"] = 2
        make_session = sessionmaker(self.engine.sync_engine)

        def get_session() -> Session:
            if "session" not in flask.g:
                flask.g.session = make_session()
                self.open_sessions.add(flask.g.session)
            session: Session = flask.g.session
            return session

        @app.before_request
        async def before_async() -> None:
            with self.begin("before_async"):
                await self.pause("before_async")

        @app.before_request
        def before_sync() -> None:
            with self.begin("before_sync"):
                flask.g.item = get_session().scalars(select(Item)).one()

        @app.after_request
        async def after_async(response: flask.Response) -> flask.Response:
            with self.begin("after_async"):
                await self.pause("after_async")
            return response

        @app.after_request
        def after_sync(response: flask.Response) -> flask.Response:
            with self.begin("after_sync"):
                await_(self.pause("after_sync"))
            return response

        @app.teardown_request
        def close_session(error: BaseException | None) -> None:
            with self.begin("teardown_session"):
                session = flask.g.pop("session", None)
                if session is not None:
                    session.rollback()
                    session.close()
                    self.open_sessions.discard(session)

        @app.teardown_request
        async def teardown_async(error: BaseException | None) -> None:
            with self.begin("teardown_async"):
                # No striking here by exception: what a teardown function raises is its own fault.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                self.log.append("teardown_async waited")

        @app.teardown_appcontext
        def teardown_appcontext(error: BaseException | None) -> None:
            self.log.append("teardown_appcontext")

        async def rows() -> AsyncGenerator[str]:
            with self.begin("stream"):
                for item in get_session().scalars(select(Item).limit(2)):
                    await self.pause("stream")
                    yield item.name
                    get_session().scalar(select(Item.name).limit(1))
                    yield "."

        def blocking() -> int | None:
            with self.begin("run_sync"):
                return get_session().scalar(select(Item.id).limit(1))

        @app.post("/")
        async def view() -> flask.Response:
            with self.begin("view"):
                assert flask.request.get_data() == b"body"
                await self.pause("view")
                assert get_session().scalar(select(Item.name).limit(1)) == flask.g.item.name
                await run_sync(blocking)
                try:
                    await self.pause("work")
                finally:
                    with self.begin("clean-up"):
                        await asyncio.sleep(0)
                response = flask.Response(flask.stream_with_context(rows()))
                response.call_on_close(lambda: self.log.append("call_on_close"))
                return response

        @app.get("/bystander")
        async def bystander() -> str:
            return "fine"

        return app


class Striker:
    """Steps a request's coroutine in a task, counts its switches and strikes at some of them.

    Args:
        coroutine: The request.
        at: The numbers of the switches to strike at, from 1.
        strike: Called with what was handed up at that switch: a future, or None for a bare turn.
    """

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, None],
        at: tuple[int, ...],
        strike: Callable[[Any], None],
    ) -> None:
        self._coroutine = coroutine
        self._at = at
        self._strike = strike
        self.switches = 0

    @types.coroutine
    def run(self) -> Generator[Any, Any, None]:
        """Be the coroutine, seen by the task."""
        step: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731  rebound below
        while True:
            try:
                value = step()
            except StopIteration:
                return
            self.switches += 1
            if self.switches in self._at:
                self._strike(value)
            try:
                sent = yield value
            except BaseException as error:
                step = lambda error=error: self._coroutine.throw(error)  # noqa: E731
            else:
                step = lambda sent=sent: self._coroutine.send(sent)  # noqa: E731


class Attempt:
    """One request, struck at some of its switches."""

    def __init__(self, world: World, asgi: ASGI, lane: str, how: str, at: tuple[int, ...]) -> None:
        world.clear()
        self._world = world
        self.call = Call(asgi, "/", "POST", body=[b"bo", b"dy"], flasync__lane=lane)
        strikes: dict[str, Callable[[Any], None]] = {
            "cancel": self._cancel,
            "cancel when done": self._cancel_when_done,
            "leave": self._leave,
        }
        self.striker = Striker(self.call.serve(), at, strikes[how])

    async def run(self) -> asyncio.Task[None]:
        """Run the request to its end and return its task."""

        async def serve() -> None:
            await self.striker.run()

        others = asyncio.all_tasks()
        self._task = asyncio.get_running_loop().create_task(serve())
        await asyncio.wait([self._task])
        self.call.leave()
        await settle()
        # SQLAlchemy closes a connection whose statement was cancelled in a task of its own, which
        # waits for the driver's thread. Everything else is gone by now, and that goes by itself.
        left = asyncio.all_tasks() - others
        if left:
            await asyncio.wait(left, timeout=DEADLINE_S)
        assert not asyncio.all_tasks() - others, f"tasks are left: {asyncio.all_tasks() - others}"
        return self._task

    def _cancel(self, _: Any) -> None:
        """Cancel the request as it begins to wait."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    def _cancel_when_done(self, future: Any) -> None:
        """Cancel the request when what it waits for is done, and before it learns of that."""
        task = asyncio.current_task()
        assert task is not None
        if future is None:
            asyncio.get_running_loop().call_soon(task.cancel)
        else:
            future.add_done_callback(lambda _: task.cancel())

    def _leave(self, _: Any) -> None:
        """Have the client leave."""
        self.call.leave()


def check(world: World, contexts: list[str], attempt: str) -> None:
    """Check that the request has ended, in order, and that nothing of it is left."""
    log = world.log
    count = Counter(log)
    # Whatever began has ended, once. (Where an after_request function fails, Flask runs all of
    # them a second time, for the response that its error handler makes.)
    for name in {entry.removesuffix(" begins") for entry in log if entry.endswith(" begins")}:
        most = 2 if name.startswith("after_") else 1
        assert count[f"{name} begins"] == count[f"{name} ends"] <= most, f"{attempt}: {name}: {log}"
    # The context was popped as often as it was pushed (a kept one is pushed twice), and if it
    # was pushed at all, every teardown function ran to its end, once.
    assert contexts.count("push") == contexts.count("pop"), f"{attempt}: {log}"
    expected = 1 if contexts else 0
    for entry in (
        "teardown_session ends",
        "teardown_async waited",
        "teardown_async ends",
        "teardown_appcontext",
    ):
        assert count[entry] == expected, f"{attempt}: {entry}: {log}"
    # Teardown came after everything else had ended.
    if "teardown_async begins" in log:
        first = min(log.index("teardown_async begins"), log.index("teardown_session begins"))
        rest = [e for e in log[first:] if not e.startswith(("teardown", "call_on_close"))]
        assert not rest, f"{attempt}: after teardown began: {rest}: {log}"
    # The session is closed and its connection back.
    assert not world.open_sessions, f"{attempt}: {log}"
    assert world.engine.pool.checkedout() == 0, f"{attempt}: {log}"  # type: ignore[attr-defined]
    assert not find_busy_greenlets(), f"{attempt}: {log}"
    contexts.clear()


POSTGRES = os.environ.get("FLASYNC_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database of this test's own, whose driver works in a thread."""
    return f"sqlite+aiosqlite:///{tmp_path}/faults.sqlite"


@pytest.fixture
def postgres_url() -> str:
    """PostgreSQL, whose driver works on the loop; a loud skip where it is missing (not in CI)."""

    async def connect() -> None:
        connection = await asyncpg.connect(POSTGRES, timeout=DEADLINE_S)
        await connection.close()

    try:
        asyncio.run(connect())
    except (OSError, asyncpg.PostgresError) as error:
        reason = f"NOT TESTED: PostgreSQL does not answer: {error!r}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return POSTGRES.replace("postgresql://", "postgresql+asyncpg://", 1)


async def build_world(url: str) -> World:
    """An app with a pool of one connection: one that is not given back stops the next request."""
    engine = create_async_engine(
        url, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, pool_timeout=DEADLINE_S
    )
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Item).values(name="row"))
    return World(engine)


async def check_bystander(world: World, asgi: ASGI, contexts: list[str]) -> None:
    """The next request is served, by the same pool of one connection and few threads."""
    world.clear()
    answer = await Call(asgi, "/bystander").start().finish()
    assert answer.body == b"fine"
    contexts.clear()


EVERYTHING = [
    "before_async begins",
    "before_async ends",
    "before_sync begins",
    "before_sync ends",
    "view begins",
    "run_sync begins",
    "run_sync ends",
    "clean-up begins",
    "clean-up ends",
    "view ends",
    "after_sync begins",
    "after_sync ends",
    "after_async begins",
    "after_async ends",
    "stream begins",
    "stream ends",
    "teardown_async begins",
    "teardown_async waited",
    "teardown_async ends",
    "teardown_session begins",
    "teardown_session ends",
    "teardown_appcontext",
    "call_on_close",
]


@pytest.mark.parametrize("lane", LANES)
async def test_without_a_fault(lane: str, url: str, serving: Serving, contexts: list[str]) -> None:
    """Left alone, the request runs in order: hooks, view, stream, teardown."""
    world = await build_world(url)
    async with serving(world.app) as asgi:
        attempt = Attempt(world, asgi, lane, "cancel", ())
        (await attempt.run()).result()
        assert sorted(world.log) == sorted(EVERYTHING)
        assert world.log[:16] == EVERYTHING[:16]
        assert attempt.call.body == b"row."
        assert attempt.call.is_complete
        assert attempt.striker.switches > 20
        check(world, contexts, "clean")
    await world.engine.dispose()


def choose_switches(pair: bool) -> Iterator[tuple[int, ...]]:
    """Every switch in turn, alone or with the next one."""
    for number in range(1, MOST_SWITCHES):
        yield (number, number + 1) if pair else (number,)
    pytest.fail("the request never ends by itself")


HOWS = ["cancel", "cancel when done", "leave"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("lane", LANES)
async def test_struck_at_every_switch(
    lane: str, how: str, url: str, serving: Serving, contexts: list[str]
) -> None:
    """Cancelled or left by its client at any switch, the request ends cleanly, once."""
    await strike_everywhere(lane, how, url, serving, contexts, pair=False)


# Not over aiosqlite: when SQLAlchemy's own clean-up of a connection is cancelled, it ends the
# driver's thread, and the close() that it had begun waits for that thread for ever.
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("lane", LANES)
async def test_struck_twice_at_every_switch(
    lane: str, how: str, postgres_url: str, serving: Serving, contexts: list[str]
) -> None:
    """Struck again at the very next switch, in the midst of its clean-up, it ends as cleanly."""
    await strike_everywhere(lane, how, postgres_url, serving, contexts, pair=True)


async def strike_everywhere(
    lane: str, how: str, url: str, serving: Serving, contexts: list[str], *, pair: bool
) -> None:
    """Strike at every switch in turn, until a request ends before its turn has come."""
    world = await build_world(url)
    outcomes: Counter[str] = Counter()
    async with serving(world.app) as asgi:
        await check_bystander(world, asgi, contexts)
        for at in choose_switches(pair):
            attempt = Attempt(world, asgi, lane, how, at)
            task = await attempt.run()
            name = f"{how} at {at} of {attempt.striker.switches}, {lane} lane"
            if task.cancelled():
                outcomes["cancelled"] += 1
            elif (error := task.exception()) is not None:
                raise AssertionError(name) from error
            else:
                outcomes["complete" if attempt.call.is_complete else "cut"] += 1
            check(world, contexts, name)
            await check_bystander(world, asgi, contexts)
            if attempt.striker.switches < at[-1]:
                break
    await world.engine.dispose()
    assert outcomes["complete"] >= 1 or pair
    assert outcomes["cut" if how == "leave" else "cancelled"] >= 5


@pytest.mark.parametrize("lane", LANES)
async def test_exception_at_every_wait(
    lane: str, url: str, serving: Serving, contexts: list[str]
) -> None:
    """Whatever awaited thing raises, in hook, view or stream, the request ends cleanly."""
    world = await build_world(url)
    struck = 0
    async with serving(world.app) as asgi:
        while True:
            attempt = Attempt(world, asgi, lane, "cancel", ())
            world.fails_at = struck + 1
            task = await attempt.run()
            has_failed = world.pauses >= world.fails_at
            check(world, contexts, f"raised at pause {world.fails_at}, {lane} lane")
            await check_bystander(world, asgi, contexts)
            if not has_failed:
                task.result()
                break
            struck += 1
            # Flask answers 500 while nothing is sent; a stream that fails is the server's to cut.
            failed_stream = isinstance(task.exception(), Struck)
            assert failed_stream or attempt.call.status == 500
    await world.engine.dispose()
    assert struck >= 6


@pytest.mark.parametrize("lane", LANES)
async def test_database_error_at_every_statement(
    lane: str, url: str, serving: Serving, contexts: list[str]
) -> None:
    """Whichever statement the database refuses, the request ends cleanly."""
    world = await build_world(url)
    statements = 0
    fails_at = 0

    @event.listens_for(world.engine.sync_engine, "before_cursor_execute", retval=True)
    def refuse(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        nonlocal statements
        statements += 1
        return ("SELECT no_such_function()" if statements == fails_at else statement), parameters

    async with serving(world.app) as asgi:
        while True:
            statements, fails_at = 0, fails_at + 1
            task = await Attempt(world, asgi, lane, "cancel", ()).run()
            assert isinstance(task.exception(), OperationalError | None)  # of a stream, or none
            check(world, contexts, f"refused at statement {fails_at}, {lane} lane")
            if statements < fails_at:
                break
    await world.engine.dispose()
    assert fails_at > 4
