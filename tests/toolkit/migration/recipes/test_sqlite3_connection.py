"""The recipe `sqlite3-connection`, on files."""

import textwrap
from pathlib import Path

import pytest

from conftest import Serving
from toolkit.migration.recipes.client_sides import ClientSides

pytestmark = pytest.mark.usefixtures("background_loop")

TABLE = "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT UNIQUE, added DATE)"
BODIES = {
    "rows": """
        db.row_factory = sqlite3.Row
        row = db.execute("SELECT id, title FROM book WHERE title = ?", ("One",)).fetchone()
        return row["id"], row["title"], list(row.keys())
    """,
    "declared types": "return [row[0] for row in db.execute('SELECT added FROM book')]",
    "a cursor": """
        cursor = db.cursor()
        cursor.execute("SELECT title FROM book ORDER BY id")
        first, rest = cursor.fetchone(), cursor.fetchmany(1)
        names = [column[0] for column in cursor.description]
        cursor.close()
        return first, rest, names
    """,
    "changes": """
        cursor = db.execute("INSERT INTO book (title) VALUES ('Two')")
        found = cursor.lastrowid, cursor.rowcount, db.in_transaction
        db.rollback()
        return found, db.total_changes, db.in_transaction
    """,
    "several": """
        db.executemany("INSERT INTO book (title) VALUES (?)", [("a",), ("b",)])
        db.commit()
        db.executescript("DELETE FROM book WHERE title < 'c' AND title > 'O';")
        return db.execute("SELECT count(*) FROM book").fetchall()
    """,
    "read by a list": "return list(db.execute('SELECT id FROM book'))",
    "a mistake": "return db.execute('SELECT nothing')",
    "caught": """
        try:
            db.execute("INSERT INTO book (title) VALUES ('One')")
        except sqlite3.IntegrityError as error:
            db.rollback()
            return str(error)
    """,
    "caught by the connection's name": """
        try:
            db.execute("INSERT INTO book (title) VALUES ('One')")
        except db.IntegrityError as error:
            return str(error)
    """,
}


def write(body: str, path: Path) -> str:
    """The text of a module with a function `ask` that has a connection."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return (
        "import sqlite3\nfrom contextlib import closing\n\n\ndef ask():\n"
        f"    with closing(sqlite3.connect({str(path)!r}, 5.0, sqlite3.PARSE_DECLTYPES)) as db:\n"
        f"{inner}\n"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with one book."""
    path = tmp_path / "shop.db"
    text = write(f"db.execute('{TABLE}')", path)
    add = "INSERT INTO book (title, added) VALUES ('One', '2024-02-29')"
    module: dict[str, object] = {}
    exec(f"{text}        db.execute({add!r})\n        db.commit()\n\n\nask()", module)
    return path


@pytest.mark.filterwarnings("ignore:The default date converter:DeprecationWarning")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_served(body: str, path: Path, serving: Serving) -> None:
    """In requests, answers and exceptions are the same."""
    await ClientSides("sqlite3-connection", write(body, path)).check_served(serving)


@pytest.mark.filterwarnings("ignore:The default date converter:DeprecationWarning")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_outside(body: str, path: Path) -> None:
    """Outside of requests, too."""
    ClientSides("sqlite3-connection", write(body, path)).check_outside()


def test_no_such_folder(tmp_path: Path) -> None:
    """A file that cannot be opened is told where it is connected to, by the same exception."""
    text = write("return db", tmp_path / "none" / "shop.db").replace("return db", "db.commit()")
    kind, name, *_ = ClientSides("sqlite3-connection", text).check_outside()
    assert (kind, name) == ("raised", "OperationalError")
