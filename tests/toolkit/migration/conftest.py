"""Real services for code that is migrated: databases of this process's own in each server."""

import os
from collections.abc import Generator

import psycopg
import pymysql
import pytest
import redis

from data.conftest import MARIADB, POSTGRES, REDIS_URL, refuse

NAME = f"flasync_migration_{os.getpid()}"
KEYS = f"flasync-migration-{os.getpid()}"


@pytest.fixture(scope="session")
def postgres() -> Generator[str]:
    """The DSN of a PostgreSQL database."""
    try:
        admin = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        refuse(f"PostgreSQL at {POSTGRES} does not answer: {error}")
    with admin:
        admin.execute(f'CREATE DATABASE "{NAME}"')
        yield f"{POSTGRES}/{NAME}"
        admin.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')


@pytest.fixture(scope="session")
def mariadb() -> Generator[str]:
    """The name of a MariaDB database, at the server of `data.conftest.MARIADB`."""
    try:
        admin = pymysql.connect(**MARIADB, connect_timeout=10)  # type: ignore[arg-type]  # mixed
    except pymysql.OperationalError as error:
        refuse(f"MariaDB at {MARIADB} does not answer: {error}")
    with admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME}")
        yield NAME
        cursor.execute(f"DROP DATABASE {NAME}")


@pytest.fixture
def redis_keys() -> Generator[str]:
    """What the keys of a test begin with; they are deleted afterwards."""
    with redis.Redis.from_url(REDIS_URL) as client:
        try:
            client.ping()
        except redis.ConnectionError as error:
            refuse(f"Redis at {REDIS_URL} does not answer: {error}")
        yield KEYS
        for key in client.scan_iter(f"{KEYS}*"):
            client.delete(key)
