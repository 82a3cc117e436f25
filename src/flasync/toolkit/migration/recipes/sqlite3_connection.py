"""`sqlite3.connect(…)` becomes `bridged(aiosqlite).connect(…)`."""

from __future__ import annotations

import libcst as cst

from flasync.toolkit.migration.client_recipe import ConnectionRecipe, name_arguments
from flasync.toolkit.migration.recipe import Case, LeaveAlone, RecipePage, Scene, Twin

_POSITIONS = (
    "database",
    "timeout",
    "detect_types",
    "isolation_level",
    "check_same_thread",
    "factory",
    "cached_statements",
    "uri",
)
_ARGUMENTS = {name: name for name in (*_POSITIONS, "autocommit") if name != "factory"}

_APP = """\
import sqlite3

from flask import Flask, current_app, g

app = Flask(__name__)
"""
_CLOSE = """

@app.teardown_appcontext
def close_db(error):
    db = g.pop("db", None)
    if db is not None:
        db.close()
"""
_GET = """

def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(
            current_app.config["DATABASE"], detect_types=sqlite3.PARSE_DECLTYPES
        )
        g.db.row_factory = sqlite3.Row
    return g.db
"""
_DEF = "\n\ndef run(sql):\n"
_SHOP = _APP + _GET + _CLOSE + _DEF


class Sqlite3Connection(ConnectionRecipe):
    """Makes a request's connection to SQLite async, behind a face."""

    name = "sqlite3-connection"
    title = "sqlite3.connect"
    names = ("sqlite3.connect", "sqlite3.dbapi2.connect")
    frees = ("sqlite3.*",)
    distributions = ("aiosqlite>=0.22",)
    of_thread = True
    used = frozenset(
        "close commit cursor execute executemany executescript in_transaction rollback row_factory"
        " text_factory total_changes"
        " DatabaseError Error IntegrityError NotSupportedError OperationalError ProgrammingError"
        " Warning".split()
    )
    settable = frozenset({"row_factory", "text_factory"})
    cursors = ("cursor", "execute", "executemany", "executescript")
    used_of_cursor = frozenset(
        "arraysize close description execute executemany executescript fetchall fetchmany fetchone"
        " lastrowid rowcount".split()
    )
    chains = ("execute", "executemany", "executescript")
    ends = frozenset({"close"})
    page = RecipePage(
        what=(
            "Replaces `sqlite3.connect(path, …)` by `flasync.bridged(aiosqlite).connect(path, …)`."
            " `execute`, `commit`, cursors and row factories are written as before."
        ),
        meaning=(
            "aiosqlite calls sqlite3 in a thread of each connection: SQL, values and exceptions are"
            " sqlite3's own, that of a closed connection too. SQLite has one writer at a time"
            " either way."
        ),
        safety=(
            "Safe. Nothing is done for a connection that more than one request shares, that is in"
            " memory, that nobody closes, or that is used in a `with` statement: this commits with"
            " sqlite3, and closes with aiosqlite. The same is true for what the face lacks, or"
            " runs in the connection's thread: functions of the app in SQL, backups,"
            " `isolation_level`."
        ),
        references=(
            ("aiosqlite", "https://aiosqlite.omnilib.dev/en/stable/api.html"),
            ("sqlite3", "https://docs.python.org/3/library/sqlite3.html"),
        ),
    )
    changed = (
        Case(
            "kept in g",
            _APP + _GET + _CLOSE,
            (_APP + _GET + _CLOSE)
            .replace("sqlite3.connect(", "bridged(aiosqlite).connect(")
            .replace(
                "from flask import Flask, current_app, g\n",
                "import aiosqlite\nfrom flask import Flask, current_app, g\n"
                "from flasync import bridged\n",
            ),
        ),
        Case(
            "in one function, positions named",
            """\
import aiosqlite
from sqlite3 import connect
from contextlib import closing

from flasync import bridged


def count(path):
    with closing(connect(path, 5.0)) as db:
        return db.execute("SELECT count(*) FROM book").fetchone()[0]
""",
            """\
import aiosqlite
from contextlib import closing

from flasync import bridged


def count(path):
    with closing(bridged(aiosqlite).connect(path, timeout=5.0)) as db:
        return db.execute("SELECT count(*) FROM book").fetchone()[0]
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            ("a transaction", f"{_SHOP}    with get_db():\n        run(1)\n"),
            (
                "a transaction at once",
                f"{_APP}{_DEF}    with sqlite3.connect('shop.db') as db:\n        db.close()\n",
            ),
            ("an exception that aiosqlite lacks", f"{_SHOP}    return get_db().DataError\n"),
            ("functions of the app", f"{_SHOP}    get_db().create_function('f', 0, int)\n"),
            ("never closed", _APP + _GET),
            ("for all requests", f"{_APP}\ndb = sqlite3.connect('a')\n{_DEF}    db.close()\n"),
            ("in memory", f"{_APP}{_DEF}    sqlite3.connect(':memory:').close()\n"),
            ("a class of its own", f"{_APP}{_DEF}    sqlite3.connect('a', factory=Own).close()\n"),
            ("read by another library", f"{_SHOP}    return pandas.read_sql(sql, get_db())\n"),
            ("a cursor taken by next", f"{_SHOP}    return next(get_db().execute(sql))\n"),
            ("a backup", f"{_SHOP}    get_db().backup(sql)\n"),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of `connect` on the face of aiosqlite."""
        args = name_arguments(scene, _POSITIONS, _ARGUMENTS, first=1)
        match args:
            case [cst.Arg(value=cst.SimpleString(value=text)), *_] if "memory" in text:
                raise LeaveAlone("the database is in memory, where there is nothing to wait for")
        self.check(scene)
        library, needed = scene.use("aiosqlite")
        bridged, face = scene.use("flasync", "bridged")
        connect = cst.Attribute(cst.Call(bridged, [cst.Arg(library)]), cst.Name("connect"))
        return Twin(scene.call.with_changes(func=connect, args=args), (needed, face))
