"""A PostgreSQL database of this run, filled with the shop's sample data, and dropped at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extras import RealDictCursor

SERVER = os.environ.get("FLASYNC_TEST_POSTGRES_ADMIN", "postgresql://postgres@127.0.0.1:5432")
NAME = f"bookshop_moved_{os.getpid()}"

# Few, as one route sends all of them, with some queries for each.
_ORDERS = 4

# A book that was ordered, with all by which the routes name it.
_FACTS = """
    SELECT books.id AS book_id, books.isbn, books.slug, books.title, books.category_id,
           categories.slug AS category, orders.number, users.api_token AS token
    FROM order_items
    JOIN orders ON orders.id = order_items.order_id
    JOIN books ON books.id = order_items.book_id
    JOIN categories ON categories.id = books.category_id
    CROSS JOIN users
    WHERE users.is_admin
    ORDER BY order_items.id LIMIT 1
"""

Facts = Mapping[str, Any]


class NoServerError(Exception):
    """PostgreSQL does not answer."""


@contextmanager
def make_database() -> Iterator[None]:
    """Make an empty database for as long as the block runs.

    Raises:
        NoServerError: There is no PostgreSQL to make it in.
    """
    try:
        admin = psycopg2.connect(f"{SERVER}/postgres")
    except psycopg2.OperationalError as error:
        raise NoServerError(f"PostgreSQL at {SERVER} does not answer: {error}") from error
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {NAME}")
            try:
                yield
            finally:
                cursor.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    finally:
        admin.close()


def build_url(port: int | None = None) -> str:
    """Return the database's URL with the async driver.

    Args:
        port: Of a proxy on loopback; None: the server's own address.
    """
    server = urlsplit(SERVER)
    place = server.netloc if port is None else f"{_build_user(server.netloc)}127.0.0.1:{port}"
    return f"postgresql+asyncpg://{place}/{NAME}"


def _build_user(netloc: str) -> str:
    user, at, _ = netloc.rpartition("@")
    return user + at


def fill(app: str, folder: Path) -> Facts:
    """Make the tables and fill them, and return what the questions are filled from.

    Args:
        app: Which app's commands do it; it reads DATABASE_URL.
        folder: Where the app is.
    """
    for arguments in (["init-db"], ["seed", "--orders", str(_ORDERS)]):
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", app, *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    connection = psycopg2.connect(f"{SERVER}/{NAME}", cursor_factory=RealDictCursor)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(_FACTS)
            facts = dict(cursor.fetchone())
            facts["rare_id"] = _sell_out(cursor)
    finally:
        connection.close()
    return facts


def _sell_out(cursor: Any) -> int:
    """Empty our shelves of a book of which the supplier has less than ten; return its id."""
    from supplier.service import available_copies  # noqa: PLC0415 (the copy's: now it is found)

    cursor.execute("SELECT id, isbn FROM books ORDER BY id")
    rare = next(row["id"] for row in cursor.fetchall() if available_copies(row["isbn"]) < 10)
    cursor.execute("UPDATE books SET stock = 0 WHERE id = %s", [rare])
    return int(rare)
