"""The recipe `pymysql-connection`, on a real MariaDB."""

import textwrap

import pytest

from conftest import Serving
from data.conftest import MARIADB
from toolkit.migration.recipes.client_sides import ClientSides

pytestmark = [
    pytest.mark.usefixtures("background_loop"),
    pytest.mark.filterwarnings("ignore:'passwd' is deprecated:DeprecationWarning"),  # the old code
]

BODIES = {
    "one value": """
        with db.cursor() as cursor:
            return cursor.execute("SELECT %s + 1 AS n", (41,)), cursor.fetchone()
    """,
    "several": """
        cursor = db.cursor()
        cursor.execute("CREATE TEMPORARY TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, s TEXT)")
        cursor.executemany("INSERT INTO t (s) VALUES (%s)", [("ä",), ("日本",)])
        db.commit()
        found = cursor.lastrowid, cursor.rowcount
        cursor.execute("SELECT s FROM t ORDER BY id")
        rest = cursor.fetchmany(1), cursor.fetchall(), [column[0] for column in cursor.description]
        cursor.close()
        return found, rest
    """,
    "iteration": """
        with db.cursor() as cursor:
            cursor.execute("SELECT 1 AS n UNION SELECT 2")
            first = [row for row in cursor]
            cursor.execute("SELECT 3 AS n")
            return first, list(cursor)
    """,
    "a transaction": """
        with db.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE t (n INT) ENGINE=InnoDB")
            db.begin()
            cursor.execute("INSERT INTO t VALUES (1)")
            db.rollback()
            cursor.execute("SELECT count(*) FROM t")
            return cursor.fetchone()
    """,
    "a mistake": "return db.cursor().execute('SELECT nothing')",
    "caught": """
        try:
            db.cursor().execute("SELECT nothing")
        except pymysql.OperationalError as error:
            return error.args[0], db.escape("a'b")
    """,
}
CURSORS = ["pymysql.cursors.Cursor", "pymysql.cursors.DictCursor"]


def write(body: str, database: str, cursor: str = CURSORS[0]) -> str:
    """The text of a module with a function `ask` that has a connection."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return (
        "import pymysql\n\n\ndef ask():\n"
        f"    with pymysql.connect(host={MARIADB['host']!r}, user={MARIADB['user']!r},"
        f" passwd={MARIADB['password']!r}, database={database!r}, port={MARIADB['port']},"
        f" cursorclass={cursor}, connect_timeout=10) as db:\n{inner}\n"
    )


@pytest.mark.parametrize("cursor", CURSORS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_served(body: str, cursor: str, mariadb: str, serving: Serving) -> None:
    """In requests, answers and exceptions are the same."""
    sides = ClientSides("pymysql-connection", write(body, mariadb, cursor))
    await sides.check_served(serving)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_outside(body: str, mariadb: str) -> None:
    """Outside of requests, too."""
    ClientSides("pymysql-connection", write(body, mariadb)).check_outside()


def test_no_such_database(mariadb: str) -> None:
    """A connection that is refused is told where it is made, by the same exception."""
    text = write("return 1", f"{mariadb}_none")
    kind, name, *_ = ClientSides("pymysql-connection", text).check_outside()
    assert (kind, name) == ("raised", "OperationalError")
