"""FSY302: what belongs to a thread, used for what belongs to a request."""

from __future__ import annotations

import ast
import inspect
import re
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from flasync.toolkit.finding import Finding
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.request_walk import find_loop_functions
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program
from flasync.toolkit.scopes import Scope, find_file, open_scopes
from flasync.toolkit.sources import SourceFile, Sources
from flasync.toolkit.statements import walk_own

# What SQLAlchemy's `scoped_session` keeps its sessions in when it is given no `scopefunc`.
_SESSION_REGISTRY = "ThreadLocalRegistry"
_LOCAL = re.compile(r"\blocal\b")

_APP = """\
import threading

import flask

app = flask.Flask(__name__)
local = threading.local()

"""


class ThreadLocal(CodeRule):
    """Finds uses of thread-local objects in requests."""

    code = "FSY302"
    name = "thread-local"
    advice = (
        "Keep it in `flask.g`, or in a `contextvars.ContextVar` where there may be no request; give"
        " a `scoped_session` a `scopefunc` that tells requests apart."
    )

    page = Page(
        what=(
            "Finds code of requests that reads or writes a `threading.local` object, or uses an"
            " SQLAlchemy `scoped_session` that keeps one session a thread."
        ),
        why=(
            "A `threading.local` object holds one value for each thread. Under a threaded server"
            " that is one value for each request under way, which is why it works. Async views all"
            " run in one thread: they share the one value. While a request waits, another"
            " overwrites what it has stored, and it goes on as another user, in another language or"
            " in another request's database transaction. `flask.g` and `contextvars.ContextVar`"
            " belong to the request itself, in threads and on the event loop alike."
        ),
        example="""\
local = threading.local()


@app.before_request
def load_user():
    local.user = find_user(request.headers["Authorization"])


@app.get("/orders")
async def orders():
    rows = await load_orders(local.user)  # perhaps another visitor's
    return render_template("orders.html", rows=rows)
""",
        instead="""\
@app.before_request
def load_user():
    g.user = find_user(request.headers["Authorization"])


@app.get("/orders")
async def orders():
    rows = await load_orders(g.user)
    return render_template("orders.html", rows=rows)
""",
        fix_safety=(
            "No edit is made. `flask.g` is empty again in the next request, where a thread keeps"
            " its values: what was meant as a cache for each thread (a connection, a parser) needs"
            " a pool, or an object for each request."
        ),
        references=(
            ("flask.g", "https://flask.palletsprojects.com/en/stable/api/#flask.g"),
            ("contextvars", "https://docs.python.org/3/library/contextvars.html"),
            (
                "Contextual sessions",
                "https://docs.sqlalchemy.org/en/20/orm/contextual.html#using-custom-created-scopes",
            ),
        ),
    )

    invalid = (
        Case(
            "written in a hook, read in a view",
            {
                "app.py": _APP
                + """
@app.before_request
def load_user():
    local.user = flask.request.args.get("user")  # FSY302


@app.get("/")
async def index():
    return local.user or "nobody"  # FSY302
"""
            },
        ),
        Case(
            "of another module, under another name",
            {
                "app.py": """\
import flask

import state
from state import local as context

app = flask.Flask(__name__)


@app.get("/")
def index():
    context.user = "a"  # FSY302
    return str(state.local.user)  # FSY302
""",
                "state.py": """\
from threading import local as make_local

local = make_local()
""",
            },
        ),
        Case(
            "a class of its own",
            {
                "app.py": """\
import threading

import flask

app = flask.Flask(__name__)


class Context(threading.local):
    user = None


context = Context()


@app.get("/")
def index():
    return str(context.user)  # FSY302
"""
            },
        ),
        Case(
            "in an attribute of an object",
            {
                "app.py": """\
import threading

import flask

app = flask.Flask(__name__)


class Database:
    def __init__(self):
        self._local = threading.local()

    def connect(self):
        if not hasattr(self._local, "connection"):  # FSY302
            self._local.connection = object()
        return self._local.connection


database = Database()


@app.get("/")
def index():
    return str(database.connect())
"""
            },
        ),
        Case(
            "in a closure of the factory",
            {
                "app.py": """\
import threading

import flask


def create_app():
    app = flask.Flask(__name__)
    local = threading.local()

    @app.get("/")
    def index():
        setattr(local, "user", "a")  # FSY302
        return "set"

    return app
"""
            },
        ),
        Case(
            "SQLAlchemy's session of a thread",
            {
                "app.py": """\
import flask
from sqlalchemy import text
from sqlalchemy.orm import scoped_session, sessionmaker

app = flask.Flask(__name__)
session = scoped_session(sessionmaker())


@app.get("/")
def index():
    session.execute(text("SELECT 1"))  # FSY302
    return "done"


@app.teardown_appcontext
def close(error):
    session.remove()  # FSY302
"""
            },
        ),
    )
    valid = (
        Case(
            "flask.g and a ContextVar",
            {
                "app.py": """\
from contextvars import ContextVar

import flask

app = flask.Flask(__name__)
user = ContextVar("user", default="nobody")


@app.get("/")
async def index():
    flask.g.user = user.get()
    return flask.g.user
"""
            },
        ),
        Case(
            "Werkzeug's and asgiref's locals, which belong to the context",
            {
                "app.py": """\
import flask
from asgiref.local import Local as AsgirefLocal
from werkzeug.local import Local

app = flask.Flask(__name__)
local = Local()
other = AsgirefLocal()


@app.get("/")
def index():
    local.user = "a"
    other.user = "b"
    return local.user + other.user
"""
            },
        ),
        Case(
            "a scoped_session with a scope of its own, and Flask-SQLAlchemy",
            {
                "app.py": """\
import flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text
from sqlalchemy.orm import scoped_session, sessionmaker

app = flask.Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app)
session = scoped_session(sessionmaker(), scopefunc=lambda: id(flask.g._get_current_object()))


@app.get("/")
def index():
    session.execute(text("SELECT 1"))
    db.session.execute(text("SELECT 1"))
    return "done"
"""
            },
        ),
        Case(
            "a local name of the same name",
            {
                "app.py": _APP
                + """
class Place:
    name = "here"


def describe(local):
    return local.name


@app.get("/")
def index():
    local = Place()
    # local.user = "a"
    return local.name + describe(local)
"""
            },
        ),
        Case(
            "in a command, in a worker thread, at import",
            {
                "app.py": _APP
                + """
from flasync import run_sync

local.started = True


def parse(text):
    local.text = text
    return text


@app.cli.command("parse")
def parse_all():
    local.text = "all"


@app.get("/")
async def index():
    return await run_sync(parse, "a")
"""
            },
        ),
        Case(
            "passed on, and asked for its type",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    return str(isinstance(local, threading.local))
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the first use of each thread-local object in each function of a request."""
        scopes = open_scopes(program)
        holders = _Holders(program.sources)
        for function in find_loop_functions(program):
            scope = scopes.get(function) if holders.may_use(function) else None
            if scope is None or function.source is None:
                continue
            seen: set[str] = set()
            for node in walk_own(scope.tree):
                used = _find_used(node)
                name = ast.unparse(used) if used is not None else ""
                if used is None or name in seen or not _is_thread_local(used, scope):
                    continue
                seen.add(name)
                message = (
                    f"`{name}` keeps one value for each thread, and all async views share one"
                    " thread: while a request waits, another overwrites what it has stored"
                )
                yield self.report(function.source.locate(node), name, message, function)


class _Holders:
    """Which files may use a thread-local object: a quick look, for large projects.

    Args:
        sources: The project's files.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._files: dict[SourceFile, bool] = {}
        self._leading = IdentityMemo(self._may_lead_to_one)

    def may_use(self, function: FunctionNode) -> bool:
        """Return whether a function's file makes such an object, or has a way to one."""
        source = function.source
        if source is None:
            return False
        if source not in self._files:
            self._files[source] = _mentions(source) or any(
                map(self._leading.get, list(function.namespace.values()))
            )
        return self._files[source]

    def _may_lead_to_one(self, value: Any) -> bool:
        if issubclass(type(value), threading.local) or _has_thread_sessions(value):
            return True
        filename = find_file(value)
        source = self._sources.get(filename) if filename is not None else None
        return source is not None and _mentions(source)


@cache  # each of many functions asks for each of the files it may lead to
def _mentions(source: SourceFile) -> bool:
    """Return whether a file has the words that it takes to make a thread-local object."""
    if "scoped_session" in source.text:
        return True
    return "threading" in source.text and _LOCAL.search(source.text) is not None


def _find_used(node: ast.AST) -> ast.expr | None:
    """Return the object whose attribute a node reads or writes, or that it calls."""
    if isinstance(node, ast.Attribute):
        return node.value if isinstance(node.value, ast.Name | ast.Attribute) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in {"delattr", "getattr", "hasattr", "setattr"} and node.args:
            return node.args[0]
        return node.func
    return None


def _is_thread_local(node: ast.expr, scope: Scope) -> bool:
    cls = scope.find_class(node)
    if cls is not None and issubclass(cls, threading.local):
        return True
    return _has_thread_sessions(scope.find_value(node))


def _has_thread_sessions(value: Any) -> bool:
    """Return whether an object is a `scoped_session` that keeps one session a thread."""
    return type(inspect.getattr_static(value, "registry", None)).__name__ == _SESSION_REGISTRY
