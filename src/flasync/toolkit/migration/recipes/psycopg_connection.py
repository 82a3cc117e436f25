"""`psycopg.connect(…)` becomes `bridged(psycopg.AsyncConnection.connect)(…)`."""

from __future__ import annotations

from flasync.toolkit.migration.client_recipe import ConnectionRecipe, bridge_connect, spell_class
from flasync.toolkit.migration.recipe import Case, LeaveAlone, RecipePage, Scene, Twin

_APP = """\
import psycopg
from flask import Flask

app = Flask(__name__)
"""
_DEF = "\n\ndef run(sql):\n"
_WITH = f"{_DEF}    with psycopg.connect('') as db:\n"
_READ = """

def count(dsn):
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        with connection.cursor() as cursor:
            return cursor.execute("SELECT count(*) FROM book").fetchone()[0]
"""


class PsycopgConnection(ConnectionRecipe):
    """Makes a request's connection of psycopg 3 async, behind a face."""

    name = "psycopg-connection"
    title = "psycopg.connect"
    names = ("psycopg.connect", "psycopg.Connection.connect")
    frees = ("psycopg.*",)
    distributions = ("psycopg>=3.1",)
    used = frozenset(
        "adapters broken close closed commit cursor execute info row_factory rollback"
        " transaction".split()
    )
    settable = frozenset({"prepare_threshold", "row_factory"})
    used_of_cursor = frozenset(
        "arraysize close description execute executemany fetchall fetchmany fetchone nextset"
        " rowcount row_factory rownumber statusmessage".split()
    )
    page = RecipePage(
        what=(
            "Replaces `psycopg.connect(…)` by"
            " `flasync.bridged(psycopg.AsyncConnection.connect)(…)`. Statements, cursors,"
            " transactions and `with` blocks are written as before."
        ),
        meaning=(
            "Both connections are of one library: values, exceptions and what a `with` block does"
            " at its end are the same."
        ),
        safety=(
            "Safe. Nothing is done for a connection that more than one request shares or that"
            " nobody closes, when `autocommit` or another property is set after connecting, for"
            " cursors of other kinds (server-side, of a class of one's own), and for `COPY`,"
            " `stream`, notifications and pipelines, which nobody has tried this way."
        ),
        references=(
            ("psycopg: async", "https://www.psycopg.org/psycopg3/docs/advanced/async.html"),
        ),
    )
    changed = (
        Case(
            "for a block",
            _APP + _READ,
            (_APP + _READ)
            .replace("psycopg.connect(", "bridged(psycopg.AsyncConnection.connect)(")
            .replace("import Flask\n", "import Flask\nfrom flasync import bridged\n"),
        ),
        Case(
            "the function imported",
            """\
from flask import g
from psycopg import connect
from psycopg.rows import dict_row


def get_db():
    if "db" not in g:
        g.db = connect("dbname=shop", row_factory=dict_row)
    return g.db


def close_db(error):
    db = g.pop("db", None)
    if db is not None:
        db.close()
""",
            """\
import psycopg
from flask import g
from flasync import bridged
from psycopg.rows import dict_row


def get_db():
    if "db" not in g:
        g.db = bridged(psycopg.AsyncConnection.connect)("dbname=shop", row_factory=dict_row)
    return g.db


def close_db(error):
    db = g.pop("db", None)
    if db is not None:
        db.close()
""",
        ),
    )
    left = tuple(
        Case(title, f"{_APP}{text}", f"{_APP}{text}")
        for title, text in (
            ("never closed", f"{_DEF}    return psycopg.connect('').execute(sql).fetchall()\n"),
            ("for all requests", "\ndb = psycopg.connect('')\n\n\ndef end():\n    db.close()\n"),
            ("autocommit set later", f"{_WITH}        db.autocommit = True\n"),
            ("a copy", f"{_WITH}        db.cursor().copy(sql)\n"),
            ("a cursor of the server", f"{_WITH}        db.cursor('all').execute(sql)\n"),
            ("notifications", f"{_WITH}        return list(db.notifies())\n"),
            (
                "another class of cursors",
                f"{_WITH}        db.commit()\n".replace("''", "'', cursor_factory=ClientCursor"),
            ),
            (
                "unknown options",
                f"{_WITH}        db.commit()\n".replace("''", "**app.config['DATABASE']"),
            ),
            ("given to another library", f"{_WITH}        return pandas.read_sql(sql, db)\n"),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of the async class's `connect`, on its face."""
        if "cursor_factory" in scene.bind("conninfo"):
            raise LeaveAlone("its cursors are of a class of their own")
        self.check(scene)
        owner, needed = spell_class(scene, "psycopg", "AsyncConnection")
        return bridge_connect(scene, owner, scene.call.args, needed)
