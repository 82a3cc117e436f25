"""Real databases, each test process with one of its own in each server."""

import os
import time
from collections.abc import Callable, Generator

import psycopg
import pymysql
import pytest
import redis

NAME = f"flasync_data_{os.getpid()}"
POSTGRES = os.environ.get("FLASYNC_TEST_POSTGRES_ADMIN", "postgresql://postgres@127.0.0.1:5432")
MARIADB = {"host": "127.0.0.1", "port": 3306, "user": "root", "password": ""}
REDIS_URL = os.environ.get("FLASYNC_TEST_REDIS", "redis://127.0.0.1:6379/0")

# The URL of each driver; {path} is a temporary folder.
URLS = {
    "asyncpg": f"{POSTGRES.replace('postgresql', 'postgresql+asyncpg', 1)}/{NAME}",
    "psycopg": f"{POSTGRES.replace('postgresql', 'postgresql+psycopg_async', 1)}/{NAME}",
    "asyncmy": f"mysql+asyncmy://root@127.0.0.1:3306/{NAME}",
    "aiomysql": f"mysql+aiomysql://root@127.0.0.1:3306/{NAME}",
    "aiosqlite": "sqlite+aiosqlite:///{path}/test.db",
    "aiosqlite-memory": "sqlite+aiosqlite://",
}

# Seconds after which a test that waits for a database gives up.
DEADLINE_S = 60

_not_tested: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which service was missing."""
    for reason in _not_tested:
        terminalreporter.write_line(f"NOT TESTED: {reason}", red=True, bold=True)


def refuse(reason: str) -> None:
    """Fail in CI, and skip loudly elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    _not_tested.append(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Generator[str]:
    """The DSN of a PostgreSQL database of this process."""
    try:
        admin = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=DEADLINE_S)
    except psycopg.OperationalError as error:
        refuse(f"PostgreSQL at {POSTGRES} does not answer: {error}")
    with admin:
        admin.execute(f'CREATE DATABASE "{NAME}"')
        yield f"{POSTGRES}/{NAME}"
        admin.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')


@pytest.fixture(scope="session")
def mariadb() -> Generator[None]:
    """A MariaDB database of this process."""
    try:
        admin = pymysql.connect(**MARIADB, connect_timeout=DEADLINE_S)  # type: ignore[arg-type]  # mixed
    except pymysql.OperationalError as error:
        refuse(f"MariaDB at {MARIADB} does not answer: {error}")
    with admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME}")
        yield
        cursor.execute(f"DROP DATABASE {NAME}")


@pytest.fixture
def redis_server() -> Generator[str]:
    """The URL of a Redis; the keys of the test, which begin with `NAME`, are deleted."""
    client = redis.Redis.from_url(REDIS_URL)
    try:
        client.ping()
    except redis.ConnectionError as error:
        refuse(f"Redis at {REDIS_URL} does not answer: {error}")
    yield REDIS_URL
    for key in client.scan_iter(f"{NAME}:*"):
        client.delete(key)
    client.close()


@pytest.fixture
def build_url(request: pytest.FixtureRequest, tmp_path: os.PathLike[str]) -> Callable[[str], str]:
    """Give the URL of a driver, when its database answers."""

    def build(driver: str) -> str:
        if driver in ("asyncpg", "psycopg"):
            request.getfixturevalue("postgres")
        elif driver in ("asyncmy", "aiomysql"):
            request.getfixturevalue("mariadb")
        return URLS[driver].format(path=tmp_path)

    return build


@pytest.fixture(params=URLS)
def url(request: pytest.FixtureRequest, build_url: Callable[[str], str]) -> str:
    """The URL of each driver in turn."""
    return build_url(request.param)


@pytest.fixture
def wait_for_backends(postgres: str) -> Generator[Callable[..., None]]:
    """Wait until this process's PostgreSQL database has as many connections, all of them idle."""
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as admin:

        def wait(count: int, *, or_less: bool = False) -> None:
            deadline = time.monotonic() + DEADLINE_S
            query = "SELECT coalesce(state, '') FROM pg_stat_activity WHERE datname = %s"
            while True:
                states = [row[0] for row in admin.execute(query, [NAME])]
                if states == ["idle"] * (min(len(states), count) if or_less else count):
                    return
                assert time.monotonic() < deadline, f"{count} idle wanted, there are {states}"
                time.sleep(0.01)  # the poll's pace

        yield wait
