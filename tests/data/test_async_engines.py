"""SQLAlchemy over async drivers, under the code of an ordinary app."""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
import sqlalchemy as sa
from flask_migrate import Migrate, downgrade, init, migrate, upgrade
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from data.library import ANSWERS, CONTENT, Author, create_app, db, read
from flasync import portal, run_sync
from flasync.async_engines import close_connections

LANES = ["async", "sync", "on-loop"]

pytestmark = pytest.mark.usefixtures("background_loop")


def close(app: Any) -> None:
    with app.app_context():
        db.engine.dispose()


# --- in requests -------------------------------------------------------------------------------


async def test_every_lane_every_place(url: str, serving: Any, call: Any) -> None:
    """Views, templates, streams, error handlers, hooks and child tasks may load lazily."""
    app = create_app(url)
    async with serving(app) as asgi:
        for lane in LANES:
            for name, (status, body) in ANSWERS.items():
                answer = await call(asgi, f"/{lane}/{name}").start().finish()
                assert (answer.status, answer.body.decode().strip()) == (status, body), (lane, name)
                assert answer.headers["x-counts"] == "2 3"
    close(app)


async def test_many_at_once(build_url: Callable[[str], str], serving: Any, call: Any) -> None:
    """Requests of all lanes that share a small pool wait for it, and none waits for ever."""
    app = create_app(build_url("asyncpg"), pool_size=2, max_overflow=0)
    async with serving(app) as asgi:
        paths = [f"/{lane}/index" for lane in LANES] * 10
        answers = await asyncio.gather(*(call(asgi, path).start().finish() for path in paths))
        assert {answer.body.decode() for answer in answers} == {CONTENT}
        with app.app_context():
            assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a QueuePool


# --- outside requests --------------------------------------------------------------------------


def test_under_wsgi(url: str) -> None:
    """The stock test client, and so any WSGI server, serves all of it."""
    app = create_app(url)
    client = app.test_client()
    for lane in LANES:
        for name, (status, body) in ANSWERS.items():
            answer = client.get(f"/{lane}/{name}")
            assert (answer.status_code, answer.text.strip()) == (status, body), (lane, name)
    close(app)


def test_click_command(url: str) -> None:
    """A command of the `flask` program queries."""
    app = create_app(url)
    result = app.test_cli_runner().invoke(args=["count"])
    assert result.output == "3\n"
    close(app)


def test_shell(url: str) -> None:
    """What is typed in `flask shell` runs as in any app context."""
    app = create_app(url)
    with app.app_context():
        names: dict[str, Any] = app.make_shell_context() | {"db": db, "Author": Author}
        assert eval("Author.query.filter_by(name='Ada').one().books[1].title", names) == "Two"
    close(app)


def test_background_threads(url: str) -> None:
    """Threads that the app starts use sessions of their own."""
    app = create_app(url)
    results: list[str] = []

    def work() -> None:
        with app.app_context():
            results.append(read())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [CONTENT] * 8
    close(app)


@pytest.fixture
def logging_kept() -> Generator[None]:
    """Take back what Alembic's template does to logging: it disables every logger that exists."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger in root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.mark.usefixtures("logging_kept")
# Flask-Migrate's own template asks Flask-SQLAlchemy in a deprecated way first.
@pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")
def test_migrations(build_url: Callable[[str], str], tmp_path: Any) -> None:
    """`flask db init`, `migrate`, `upgrade` and `downgrade`, with the stock templates."""
    for driver in ("asyncpg", "asyncmy", "aiosqlite"):
        app = create_app(build_url(driver))
        Migrate(app, db, directory=str(tmp_path / driver))
        with app.app_context():
            db.session.remove()
            db.drop_all()
            init()
            migrate()
            upgrade()
            assert {"author", "book"} <= set(sa.inspect(db.engine).get_table_names())
            downgrade()
            assert "book" not in sa.inspect(db.engine).get_table_names()
        close(app)


def test_a_core_connection(url: str) -> None:
    """Without Flask: an engine, a transaction, a rollback, a server-side cursor."""
    engine = sa.create_engine(url)
    table = sa.Table("numbers", sa.MetaData(), sa.Column("n", sa.Integer))
    table.drop(engine, checkfirst=True)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"n": n} for n in range(10)])
    with engine.connect() as connection:
        connection.execute(table.delete())
        connection.rollback()
        result = connection.execution_options(yield_per=3).execute(sa.select(table.c.n))
        assert sorted(result.scalars()) == list(range(10))
    engine.dispose()


def test_a_database_error_is_the_usual_one(url: str) -> None:
    """A constraint that is violated raises `IntegrityError`, and the session rolls back."""
    app = create_app(url)
    with app.app_context():
        db.session.add(Author(name="Ada"))
        with pytest.raises(sa.exc.IntegrityError):
            db.session.commit()
        db.session.rollback()
        assert read() == CONTENT
    close(app)


def test_below_a_foreign_loop(url: str) -> None:
    """A notebook or an async test runs a loop of its own; sync code blocks it, and works."""
    app = create_app(url)

    async def main() -> str:
        with app.app_context():
            return read()

    assert asyncio.run(main()) == CONTENT
    close(app)


def test_async_engines_are_left_alone(build_url: Callable[[str], str]) -> None:
    """SQLAlchemy's own `AsyncEngine` runs on whatever loop it is used on."""

    async def main() -> Any:
        engine = create_async_engine(build_url("asyncpg"))
        async with engine.connect() as connection:
            value = await connection.scalar(sa.text("SELECT 1"))
        await engine.dispose()
        return value

    assert asyncio.run(main()) == 1
    assert asyncio.run(main()) == 1


# SQLAlchemy 2.1 closes the coroutine that it refuses, and not the driver's inside it.
@pytest.mark.filterwarnings("ignore:coroutine 'connect' was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_loop_callback_is_refused(build_url: Callable[[str], str], serving: Any) -> None:
    """Code on the process's loop that no task carries cannot wait, and gets SQLAlchemy's error."""
    app = create_app(build_url("asyncpg"))
    seen = asyncio.get_running_loop().create_future()

    def callback() -> None:
        with app.app_context():
            try:
                read()
            except MissingGreenlet as error:
                seen.set_result(error)

    async with serving(app):
        asyncio.get_running_loop().call_soon(callback)
        assert isinstance(await seen, MissingGreenlet)


# --- one loop ----------------------------------------------------------------------------------


async def test_a_pool_used_before_serving(
    url: str, serving: Any, call: Any, wait_for_backends: Callable[[int], None]
) -> None:
    """The pool was filled at import time, on a loop that ends: serving uses new connections."""
    app = create_app(
        url, **({} if "memory" in url or url.endswith("//") else {"pool_pre_ping": True})
    )
    with app.app_context():
        assert read() == CONTENT
    async with serving(app) as asgi:
        for lane in LANES:
            answer = await call(asgi, f"/{lane}/index").start().finish()
            assert answer.body.decode() == CONTENT
    wait_for_backends(0)  # closed with the loop
    with app.app_context():
        assert read() == CONTENT  # and made anew where they are needed
    close(app)


def test_a_session_held_across_loops_loses_its_connection(build_url: Callable[[str], str]) -> None:
    """It is told as if the server had hung up; after a rollback it goes on."""
    engine = sa.create_engine(build_url("asyncpg"))
    with Session(engine) as session:
        assert session.scalar(sa.text("SELECT 1")) == 1
        portal.stop_background()
        with pytest.raises(sa.exc.DBAPIError, match="closed"):
            session.scalar(sa.text("SELECT 1"))
        session.rollback()
        assert session.scalar(sa.text("SELECT 1")) == 1
    engine.dispose()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # that loop leaves its sockets open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_ends_without_a_word(build_url: Callable[[str], str], call: Any) -> None:
    """No lifespan, so nobody hears of the end: connections of that loop are not handed out."""
    app = create_app(build_url("asyncpg"), pool_pre_ping=True)
    app.config["STALL_WARNING"] = None  # its watchdog would not hear of the end either

    async def main() -> None:
        for lane in LANES:
            answer = await call(app, f"/{lane}/index").start().finish()
            assert answer.body.decode() == CONTENT

    for _ in range(3):
        asyncio.run(main())
    with app.app_context():
        assert read() == CONTENT
    close(app)


async def test_close_connections_is_for_its_own_loop(
    build_url: Callable[[str], str], wait_for_backends: Callable[[int], None]
) -> None:
    """Another loop's connections are not touched."""
    engine = sa.create_engine(build_url("asyncpg"))

    def query() -> Any:
        with engine.connect() as connection:
            return connection.scalar(sa.text("SELECT 1"))

    assert await asyncio.to_thread(query) == 1
    wait_for_backends(1)
    await close_connections()
    wait_for_backends(1)
    await asyncio.to_thread(portal.stop_background)
    wait_for_backends(0)


async def test_invalidation_in_a_worker_thread(
    build_url: Callable[[str], str],
    serving: Any,
    wait_for_backends: Callable[[int], None],
    app: Any,
) -> None:
    """A connection is terminated on the loop, although a thread gives it up."""
    engine = sa.create_engine(build_url("asyncpg"))

    def lose() -> Any:
        with engine.connect() as connection:
            first = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            connection.invalidate()
            connection.rollback()
            return first, connection.scalar(sa.text("SELECT pg_backend_pid()"))

    async with serving(app):
        first, second = await run_sync(lose)
        assert first != second
        wait_for_backends(1)
    wait_for_backends(0)
