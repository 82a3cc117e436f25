"""A small pool under many requests whose clients and tasks give up at any moment."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy

import flasync

REQUESTS = 500
POOL_SIZE = 4
SEED = 20261121

pytestmark = pytest.mark.usefixtures("background_loop")


def create_app(url: str) -> tuple[flasync.Flask, SQLAlchemy, list[str]]:
    """Build an app whose views note each connection that two sessions use at once."""
    app = flasync.Flask("stress")
    # A request that waits in line for long is as good as one that is cancelled there.
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_size": POOL_SIZE,
            "max_overflow": 0,
            "pool_timeout": 60,
        },
        WORKER_THREADS=8,
    )
    db = SQLAlchemy(app)
    users: dict[int, object] = {}
    shared: list[str] = []

    def work(number: int) -> str:
        session = db.session()
        backend = session.scalar(sa.text("SELECT pg_backend_pid()"))
        if users.setdefault(backend, session) is not session:
            shared.append(f"request {number}: backend {backend} is in use")
        try:
            session.execute(sa.text("SELECT pg_sleep(0.004)"))
            echo = session.scalar(sa.text("SELECT CAST(:number AS integer)"), {"number": number})
            session.execute(sa.text("SELECT pg_sleep(0.002)"))
        finally:
            del users[backend]
        session.commit()
        return str(echo)

    @app.get("/async/<int:number>")
    async def in_async_view(number: int) -> str:
        return work(number)

    @app.get("/sync/<int:number>")
    def in_sync_view(number: int) -> str:
        return work(number)

    @app.get("/on-loop/<int:number>")
    @flasync.on_loop
    def on_the_loop(number: int) -> str:
        return work(number)

    return app, db, shared


def forgive_asyncpg(loop: asyncio.AbstractEventLoop) -> None:
    """Let pass what asyncpg leaves when it is cancelled while it connects: a future, failed."""
    report: Any = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, complaint: dict[str, Any]) -> None:
        if "unexpected connection_lost() call" not in str(complaint.get("exception")):
            report(loop, complaint)

    loop.set_exception_handler(handle)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_cancellations_and_disconnects(
    build_url: Callable[[str], str],
    driver: str,
    *,
    serving: Any,
    call: Any,
    wait_for_backends: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No connection is lost, none is shared, and all are idle at the end."""
    app, db, shared = create_app(build_url(driver))
    chance = random.Random(SEED)
    loop = asyncio.get_running_loop()
    forgive_asyncpg(loop)
    async with serving(app) as asgi:
        calls = []
        for number in range(REQUESTS):
            lane = chance.choice(["async", "sync", "on-loop"])
            one = call(asgi, f"/{lane}/{number}").start()
            calls.append(one)
            end = chance.choice(["cancel", "leave", "stay", "stay"])
            if end != "stay":
                give_up = one.task.cancel if end == "cancel" else one.leave
                loop.call_later(chance.uniform(0, 1.0), give_up)
        await asyncio.wait([one.task for one in calls])

        answered = [one for one in calls if one.is_complete and one.status == 200]
        for one in answered:
            assert one.body.decode() == one.scope["path"].rpartition("/")[2]
        assert len(answered) >= REQUESTS / 2  # those who stayed, at least
        assert shared == []
        with app.app_context():
            pool: Any = db.engine.pool
            await asyncio.to_thread(wait_for_backends, POOL_SIZE, or_less=True)
            assert pool.checkedout() == 0
        # And the pool is as good as new: as many requests as it has connections run at once.
        again = [call(asgi, f"/async/{number}").start() for number in range(POOL_SIZE)]
        assert [(await one.finish()).status for one in again] == [200] * POOL_SIZE
    wait_for_backends(0)
    assert "garbage collector" not in caplog.text
