"""Clients and pools made once, used by views, hooks and teardown of both lanes."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import flask
import httpx
import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import flasync
from pains.apps import services
from pains.apps.ledger import Ledger

app = flasync.Flask(__name__)
ledger = Ledger()
ledger.init_app(app)

http = httpx.AsyncClient(verify=False, timeout=60)
cache = redis.asyncio.from_url(services.REDIS_URL)
engine = create_async_engine(services.SQLALCHEMY_URL, pool_size=5, max_overflow=0)
pool: asyncpg.Pool
loops: set[int] = set()


@app.while_serving
async def serve_pool() -> AsyncIterator[None]:
    """Open what must be awaited, and close everything at the end."""
    global pool  # noqa: PLW0603 -- what asyncpg's documentation shows
    pool = await asyncpg.create_pool(services.POSTGRES_DSN, min_size=1, max_size=5)
    yield
    await pool.close()
    await engine.dispose()
    await cache.aclose()
    await http.aclose()


async def ask(number: int) -> int:
    """The same number, by one of four ways: PostgreSQL, SQLAlchemy, Redis, HTTP."""
    loops.add(id(asyncio.get_running_loop()))
    way = number // 2 % 4  # even numbers come in one lane, odd ones in the other
    if way == 0:
        return await pool.fetchval("SELECT $1::int", number)
    if way == 1:
        async with engine.connect() as connection:
            return await connection.scalar(sa.select(sa.literal(number)))
    if way == 2:
        await cache.set(f"flasync-pains-{number}", number, ex=60)
        return int(await cache.get(f"flasync-pains-{number}"))
    return int((await http.get(f"{flask.request.host_url}echo/{number}")).text)


def counts() -> bool:
    """Whether this request is one of those under test."""
    return flask.request.endpoint in ("async_view", "sync_view")


@app.before_request
async def before() -> None:
    """An async hook that uses the shared pool."""
    if counts():
        flask.g.before = await pool.fetchval("SELECT 1")


@app.after_request
async def after(response: flask.Response) -> flask.Response:
    """An async hook that uses the shared Redis client."""
    if counts():
        await cache.ping()
        ledger.note(f"after {flask.g.before}")
    return response


@app.teardown_request
def teardown(error: BaseException | None) -> None:
    """A sync hook that waits for the shared engine."""
    if counts():
        ledger.note(f"teardown {flasync.await_(ask_engine())}")


async def ask_engine() -> int:
    """One round trip."""
    async with engine.connect() as connection:
        return await connection.scalar(sa.text("SELECT 1"))


@app.get("/async/<int:number>")
async def async_view(number: int) -> str:
    """Loop lane."""
    return str(await ask(number))


@app.get("/sync/<int:number>")
def sync_view(number: int) -> str:
    """Thread lane."""
    return str(flasync.await_(ask(number)))


@app.get("/echo/<int:number>")
async def echo(number: int) -> str:
    """What the HTTP client asks for."""
    return str(number)


@app.get("/loops")
async def show_loops() -> list[int]:
    """Every loop that has run `ask`."""
    return list(loops)
