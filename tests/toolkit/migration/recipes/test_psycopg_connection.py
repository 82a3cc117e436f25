"""The recipe `psycopg-connection`, on a real PostgreSQL."""

import textwrap

import pytest

from conftest import Serving
from toolkit.migration.recipes.client_sides import ClientSides

pytestmark = pytest.mark.usefixtures("background_loop")

BODIES = {
    "one value": "return db.execute('SELECT %s + 1', (41,)).fetchone()",
    "a cursor": """
        with db.cursor() as cursor:
            cursor.execute("SELECT generate_series(1, 5) AS n")
            return cursor.fetchone(), cursor.fetchmany(2), list(cursor), cursor.rowcount
    """,
    "iteration": "return [row for row in db.execute('SELECT generate_series(1, 3)')]",
    "a dict": """
        db.row_factory = dict_row
        return db.execute("SELECT 1 AS a, 'b' AS b").fetchall()
    """,
    "a transaction": """
        db.execute("CREATE TEMP TABLE t (n int)")
        try:
            with db.transaction():
                db.execute("INSERT INTO t VALUES (1)")
                raise KeyError
        except KeyError:
            return db.execute("SELECT count(*) FROM t").fetchone()
    """,
    "several": """
        cursor = db.cursor()
        cursor.execute("CREATE TEMP TABLE t (n int)")
        cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
        db.commit()
        return cursor.execute("SELECT sum(n) FROM t").fetchone(), cursor.description[0].name
    """,
    "a mistake": "return db.execute('SELECT nothing')",
    "caught": """
        try:
            db.execute("SELECT 1 / 0")
        except psycopg.errors.DivisionByZero as error:
            db.rollback()
            return error.sqlstate, db.closed
    """,
}


def write(body: str, dsn: str) -> str:
    """The text of a module with a function `ask` that has a connection."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return (
        "import psycopg\nfrom psycopg.rows import dict_row\n\n\ndef ask():\n"
        f"    with psycopg.connect({dsn!r}, connect_timeout=10) as db:\n{inner}\n"
    )


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_served(body: str, postgres: str, serving: Serving) -> None:
    """In requests, answers and exceptions are the same."""
    await ClientSides("psycopg-connection", write(body, postgres)).check_served(serving)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_outside(body: str, postgres: str) -> None:
    """Outside of requests, too."""
    ClientSides("psycopg-connection", write(body, postgres)).check_outside()


def test_end_of_block(postgres: str) -> None:
    """A block that ends well has committed; one that fails has not; both have closed."""
    text = """\
import psycopg


def ask():
    kept = []
    with psycopg.connect({dsn!r}) as db:
        db.execute("DROP TABLE IF EXISTS kept")
        db.execute("CREATE TABLE kept (n int)")
        kept.append(db)
    try:
        with psycopg.connect({dsn!r}) as other:
            other.execute("INSERT INTO kept VALUES (1)")
            raise KeyError
    except KeyError:
        pass
    with psycopg.connect({dsn!r}) as last:
        return last.execute("SELECT count(*) FROM kept").fetchone(), other.closed
"""
    sides = ClientSides(
        "psycopg-connection", text.format(dsn=postgres).replace("        kept.append(db)\n", "")
    )
    assert sides.check_outside() == ("returned", ((0,), True))
