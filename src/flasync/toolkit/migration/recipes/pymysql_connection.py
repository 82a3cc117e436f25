"""`pymysql.connect(…)` becomes `bridged(aiomysql.connect)(…)`."""

from __future__ import annotations

import libcst as cst

from flasync.toolkit.migration.client_recipe import ConnectionRecipe, bridge_connect, name_arguments
from flasync.toolkit.migration.client_uses import Kind
from flasync.toolkit.migration.recipe import Case, LeaveAlone, RecipePage, Scene, Twin

# What both take, by the name that aiomysql has for it.
_ARGUMENTS = {
    name: name
    for name in (
        "autocommit charset client_flag connect_timeout cursorclass db host init_command password"
        " port sql_mode unix_socket use_unicode user"
    ).split()
} | {"database": "db", "passwd": "password"}
_CURSORS = frozenset({"Cursor", "DictCursor"})

_APP = """\
import pymysql
from flask import Flask

app = Flask(__name__)
"""
_DEF = "\n\ndef run(sql):\n"
_WITH = _DEF + "    with pymysql.connect(host='db') as db:\n"


class PymysqlConnection(ConnectionRecipe):
    """Makes a request's connection of PyMySQL async, behind a face."""

    name = "pymysql-connection"
    title = "pymysql.connect"
    names = ("pymysql.connect", "pymysql.Connect", "pymysql.connections.Connection")
    frees = ("pymysql.*",)
    distributions = ("aiomysql>=0.2",)
    used = frozenset("autocommit begin commit cursor escape ping rollback select_db".split())
    cursors = ("cursor",)
    used_of_cursor = frozenset(
        "arraysize callproc close description execute executemany fetchall fetchmany fetchone"
        " lastrowid nextset rowcount rownumber".split()
    )
    chains = ()  # PyMySQL's `execute` gives a number
    # aiomysql's `close()` works on the loop's transport, and may be called on the loop alone.
    ends = frozenset({Kind.WITH})
    page = RecipePage(
        what=(
            "Replaces `pymysql.connect(…)` by `flasync.bridged(aiomysql.connect)(…)`, with"
            " `database` and `passwd` under aiomysql's names for them. Statements, cursors and"
            " `with` blocks are written as before."
        ),
        meaning=(
            "aiomysql is PyMySQL with the waiting exchanged: SQL, values and exceptions are"
            " PyMySQL's own. Where no `connect_timeout` is given, PyMySQL gives up after ten"
            " seconds and aiomysql does not."
        ),
        safety=(
            "Safe. Nothing is done for a connection that more than one request shares; for one that"
            " is not closed by a `with` block, for `close()` of aiomysql works on the event loop"
            " alone; for cursors of other classes; and for options that aiomysql lacks"
            " (`read_timeout`, `ssl_ca`)."
        ),
        references=(("aiomysql", "https://aiomysql.readthedocs.io/en/stable/connection.html"),),
    )
    changed = (
        Case(
            "for a block",
            """\
import pymysql
from flask import Flask

app = Flask(__name__)


def count():
    connection = pymysql.connect(
        host="localhost",
        passwd="secret",  # for now
        database="shop",
        cursorclass=pymysql.cursors.DictCursor,
    )
    with connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) AS books FROM book")
            return cursor.fetchone()["books"]
""",
            """\
import aiomysql
from flask import Flask
from flasync import bridged

app = Flask(__name__)


def count():
    connection = bridged(aiomysql.connect)(
        host="localhost",
        password="secret",  # for now
        db="shop",
        cursorclass=aiomysql.DictCursor,
    )
    with connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) AS books FROM book")
            return cursor.fetchone()["books"]
""",
        ),
    )
    left = tuple(
        Case(title, f"{_APP}{text}", f"{_APP}{text}")
        for title, text in (
            ("closed by hand", f"{_DEF}    db = pymysql.connect()\n    db.close()\n"),
            ("for all requests", "\ndb = pymysql.connect(host='db')\n"),
            ("another cursor", f"{_WITH}        db.cursor(pymysql.cursors.SSCursor)\n"),
            (
                "another class of cursors",
                f"{_WITH}        db.commit()\n".replace("'db'", "'db', cursorclass=Own"),
            ),
            (
                "an option that is not there",
                f"{_WITH}        db.commit()\n".replace("'db'", "'db', read_timeout=5"),
            ),
            ("the open connection", f"{_WITH}        return db.open\n"),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of aiomysql's `connect`, on its face."""
        args = name_arguments(scene, (), _ARGUMENTS)
        self.check(scene)
        library, needed = scene.use("aiomysql")
        own = [_change_cursor(scene, arg, library) for arg in args]
        return bridge_connect(scene, library, own, needed)


def _change_cursor(scene: Scene, arg: cst.Arg, library: cst.BaseExpression) -> cst.Arg:
    """Return an argument with aiomysql's class in the place of PyMySQL's."""
    if arg.keyword is None or arg.keyword.value != "cursorclass":
        return arg
    for name in scene.file.name_qualified(arg.value):
        module, _, last = name.rpartition(".")
        if module == "pymysql.cursors" and last in _CURSORS:
            return arg.with_changes(value=cst.Attribute(library, cst.Name(last)))
    raise LeaveAlone("its cursors are of a class of their own")
