"""One server process per (test module, server), and the services beside it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
import pytest
import redis.asyncio

from pains.apps import services
from pains.servers import SERVERS, Served, serve

_not_tested: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which service was missing."""
    for reason in _not_tested:
        terminalreporter.write_line(f"NOT TESTED: {reason}", red=True, bold=True)


@pytest.fixture(scope="module", params=SERVERS)
def server_process(request: pytest.FixtureRequest) -> Iterator[Served]:
    """The module's `APP` ("module:name") served by each server in turn."""
    with serve(request.param, request.module.APP) as served:
        yield served


@pytest.fixture
def server(server_process: Served) -> Iterator[Served]:
    """The server with an empty ledger; afterwards its log holds no symptom."""
    server_process.check_alive()
    server_process.clear()
    yield server_process
    server_process.close_connections()
    server_process.check_alive()
    server_process.check_log()


def _require(name: str, ask: Callable[[], Awaitable[object]]) -> None:
    async def ask_within_deadline() -> None:
        await asyncio.wait_for(ask(), timeout=60)

    try:
        asyncio.run(ask_within_deadline())
    except (OSError, asyncpg.PostgresError, redis.asyncio.RedisError) as error:
        reason = f"{name} does not answer: {error!r}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        _not_tested.append(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> None:
    """PostgreSQL answers, or the test is skipped loudly (in CI: fails)."""

    async def ask() -> None:
        connection = await asyncpg.connect(services.POSTGRES_DSN)
        await connection.close()

    _require(f"PostgreSQL at {services.POSTGRES_DSN}", ask)


@pytest.fixture(scope="session")
def redis_server() -> None:
    """Redis answers, or the test is skipped loudly (in CI: fails)."""

    async def ask() -> None:
        async with redis.asyncio.from_url(services.REDIS_URL) as client:
            await client.ping()

    _require(f"Redis at {services.REDIS_URL}", ask)
