"""FSY304: a client or pool that is tied to an event loop before the server has one."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from flasync.toolkit.finding import Finding
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program
from flasync.toolkit.scopes import find_file
from flasync.toolkit.sources import SourceFile
from flasync.toolkit.statements import walk_nodes, walk_statements

# Calls that take the event loop of the moment, and keep it. Looked up in the libraries' source.
_TAKES_LOOP = frozenset(
    {
        "aiohttp.ClientSession",
        "aiohttp.TCPConnector",
        "aiohttp.UnixConnector",
        "aiokafka.AIOKafkaConsumer",
        "aiokafka.AIOKafkaProducer",
        "asyncio.get_event_loop",
        "asyncpg.create_pool",
        "grpc.aio.insecure_channel",
        "grpc.aio.secure_channel",
    }
)
# Calls that do so when they are awaited.
_TAKES_LOOP_AWAITED = frozenset(
    {
        "aio_pika.connect",
        "aio_pika.connect_robust",
        "aiomysql.connect",
        "aiomysql.create_pool",
        "aiopg.connect",
        "aiopg.create_pool",
        "asyncmy.connect",
        "asyncmy.create_pool",
        "asyncpg.connect",
        "nats.connect",
    }
)
# What runs a coroutine on a loop that is over when it returns.
_RUNNERS = frozenset({"anyio.run", "asyncio.run"})
_LIBRARIES = frozenset(
    name.partition(".")[0] for name in _TAKES_LOOP | _TAKES_LOOP_AWAITED | _RUNNERS
)
# The classes of what those calls give, where a function of the project has made it.
_BOUND_CLASSES = {
    "aiohttp.client.ClientSession": "aiohttp.ClientSession",
    "aiohttp.connector.BaseConnector": "aiohttp.BaseConnector",
    "aiokafka.consumer.consumer.AIOKafkaConsumer": "aiokafka.AIOKafkaConsumer",
    "aiokafka.producer.producer.AIOKafkaProducer": "aiokafka.AIOKafkaProducer",
    "aiomysql.connection.Connection": "aiomysql.Connection",
    "aiomysql.pool.Pool": "aiomysql.Pool",
    "aiopg.pool.Pool": "aiopg.Pool",
    "asyncmy.pool.Pool": "asyncmy.Pool",
    "asyncpg.connection.Connection": "asyncpg.Connection",
    "asyncpg.pool.Pool": "asyncpg.Pool",
    "grpc.aio._base_channel.Channel": "grpc.aio.Channel",
}

_APP = """\
import asyncio

import flask

app = flask.Flask(__name__)

"""


class LoopBoundClient(CodeRule):
    """Finds async clients made at import that work on no other loop than that of the moment."""

    code = "FSY304"
    name = "loop-bound-client"
    advice = (
        "Make it in an `@app.while_serving` or `@app.before_serving` function, or let"
        " `flasync.bridged(functools.partial(…))` make it when it is first used."
    )

    page = Page(
        what=(
            "Finds async clients, pools and event loops that are made while a module is imported,"
            " and that are tied to the event loop of that moment."
        ),
        why=(
            "An async client sends and receives on one event loop. Some take that loop when they"
            " are made: aiohttp's sessions, asyncpg's pools, gRPC's channels, and whatever"
            " `asyncio.run(connect())` gives. At import there is no loop yet, or only one for the"
            " moment; the server starts its own afterwards. The first request that uses the client"
            " then fails with `attached to a different loop` or `Event loop is closed`. With"
            " uvicorn, which imports the app in its loop, the same line may work, until the server"
            " or its settings change. Others look for the loop when they are first used, and are"
            " fine: httpx, `redis.asyncio`, PyMongo and Motor, SQLAlchemy's engines, and"
            " `asyncio.Lock`, `Queue` and `Event`."
        ),
        example="""\
pool = asyncpg.create_pool("postgresql://localhost/shop")


@app.get("/books")
async def books():
    return await pool.fetchval("SELECT count(*) FROM book")
""",
        instead="""\
@app.while_serving
async def connect():
    async with asyncpg.create_pool("postgresql://localhost/shop") as app.pool:
        yield


@app.get("/books")
async def books():
    return await app.pool.fetchval("SELECT count(*) FROM book")
""",
        fix_safety=(
            "`flasync migrate` leaves it: other modules may import the name. `flasync.bridged`"
            " keeps it and makes the client on the loop that first uses it; its methods are then"
            " called without `await`."
        ),
        references=(
            (
                "aiohttp: creating a session outside of a coroutine",
                "https://docs.aiohttp.org/en/stable/faq.html",
            ),
            ("gRPC AsyncIO", "https://grpc.github.io/grpc/python/grpc_asyncio.html"),
            (
                "asyncio.get_event_loop",
                "https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.get_event_loop",
            ),
        ),
    )

    invalid = (
        Case(
            "made by asyncio.run",
            {
                "app.py": _APP
                + """
import asyncpg


async def open_pool():
    return asyncpg.create_pool("postgresql://localhost/shop")


pool = asyncio.run(open_pool())  # FSY304


@app.get("/")
async def index():
    return str(await pool.fetchval("SELECT 1"))
"""
            },
        ),
        Case(
            "of another module, and with an annotation",
            {
                "app.py": """\
import flask

from database import pool
from database import pool as same

app = flask.Flask(__name__)


@app.get("/")
async def index():
    return str(await pool.fetchval("SELECT 1"))
""",
                "database.py": """\
import asyncio

import asyncpg


async def open_pool() -> asyncpg.Pool:
    return asyncpg.create_pool("postgresql://localhost/shop")


pool: asyncpg.Pool = asyncio.run(open_pool())  # FSY304
""",
            },
        ),
        Case(
            "made directly, under a condition",
            {
                "app.py": _APP
                + """
import aiohttp
from asyncpg import create_pool as connect

if app.config.get("SUPPLIER"):
    session = aiohttp.ClientSession(app.config["SUPPLIER"])  # FSY304
    pool = connect("postgresql://localhost/shop")  # FSY304
    loop = asyncio.get_event_loop()  # FSY304


@app.get("/")
async def index():
    return "open"
"""
            },
        ),
        Case(
            "awaited by asyncio.run, in a class body",
            {
                "app.py": _APP
                + """
import aiomysql


class Store:
    if app.config.get("DATABASE"):
        pool = asyncio.run(aiomysql.create_pool(db="shop"))  # FSY304


@app.get("/")
async def index():
    return "open"
"""
            },
        ),
    )
    valid = (
        Case(
            "clients that look for the loop when they are used",
            {
                "app.py": _APP
                + """
import httpx
import redis.asyncio
from sqlalchemy.ext.asyncio import create_async_engine

http = httpx.AsyncClient()
cache = redis.asyncio.Redis()
engine = create_async_engine("sqlite+aiosqlite://")
lock = asyncio.Lock()
queue = asyncio.Queue()
ready = asyncio.Event()


@app.get("/")
async def index():
    return "open"
"""
            },
        ),
        Case(
            "made in functions",
            {
                "app.py": """\
import asyncio

import aiohttp
import asyncpg

from flasync import Flask

app = Flask(__name__)


@app.while_serving
async def connect():
    async with asyncpg.create_pool("postgresql://localhost/shop") as app.pool:
        yield


@app.before_serving
async def open_session():
    app.session = aiohttp.ClientSession()


@app.get("/")
async def index():
    async with aiohttp.ClientSession() as session:
        asyncio.get_running_loop()
        return str(session.closed)
"""
            },
        ),
        Case(
            "made later, by a face or a lambda",
            {
                "app.py": _APP
                + """
from functools import partial

import aiohttp
import asyncpg
from flasync import bridged

pool = bridged(partial(asyncpg.create_pool, "postgresql://localhost/shop"))
make_session = lambda: aiohttp.ClientSession()


@app.get("/")
def index():
    return "open"
"""
            },
        ),
        Case(
            "the main part and a script",
            {
                "app.py": _APP
                + """
import asyncpg


@app.get("/")
def index():
    return "open"


if __name__ == "__main__":
    pool = asyncpg.create_pool("postgresql://localhost/shop")
""",
                "load_books.py": """\
import asyncio

import asyncpg

connection = asyncio.run(asyncpg.connect("postgresql://localhost/shop"))
""",
            },
        ),
        Case(
            "other things of these libraries, and of these names",
            {
                "app.py": _APP
                + """
import aiohttp


class asyncpg:
    def create_pool(self):
        return "water"


pool = asyncpg().create_pool()
timeout = aiohttp.ClientTimeout(total=3)
# session = aiohttp.ClientSession()


async def load_settings():
    return {"supplier": "here"}


settings = asyncio.run(load_settings())


@app.get("/")
def index():
    return pool
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield what the project's modules make at import that keeps a loop."""
        for source, namespace in _list_modules(program):
            imports = _read_imports(source)
            for call in _list_calls_at_import(source.tree) if imports else ():
                name = _find_taker(call, imports)
                if name is not None:
                    yield self._report(source, call, name)
            for name, value in _list_assigned(source.tree):
                bound = _find_bound(namespace.get(name))
                if bound is not None and _find_taker(value, imports) is None:
                    yield self._report(source, value, bound)

    def _report(self, source: SourceFile, call: ast.Call, name: str) -> Finding:
        message = (
            f"`{name}` at import is tied to an event loop that is not the server's:"
            " requests that use it fail, or work under one server and not under the next"
        )
        return self.report(source.locate(call), name, message)


def _list_modules(program: Program) -> Iterator[tuple[SourceFile, Mapping[str, Any]]]:
    """Yield the files that are imported with the app, and their globals.

    Without an app, every file, and no globals.
    """
    if program.app is None:
        for source in program.sources.list_files():
            yield source, {}
        return
    for module in list(sys.modules.values()):
        filename = find_file(module) if type(module) is ModuleType else None
        if filename is not None and program.sources.is_own(filename):
            imported = program.sources.get(os.path.realpath(filename))
            if imported is not None:
                yield imported, vars(module)


def _read_imports(source: SourceFile) -> dict[str, str]:
    """Return what the imports of a module bind: each name, and the dotted name behind it.

    Nothing for a file without the name of any library that this rule knows.
    """
    found: dict[str, str] = {}
    bound: set[str] = set()
    if not any(library in source.text for library in _LIBRARIES):
        return found  # walking every tree of a large project takes seconds
    for node in walk_nodes(source.tree.body):
        match node:
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(module=str(module), level=0):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{module}.{alias.name}"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.Name(ctx=ast.Store()):
                bound.add(node.id)
    return {name: target for name, target in found.items() if name not in bound}


def _list_calls_at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls that run when a module is imported."""
    for node in _walk_import(tree.body, walk_nodes):
        if isinstance(node, ast.Call):
            yield node


def _list_assigned(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield the globals that are assigned what a call gives, and the call."""
    for node in _walk_import(tree.body, walk_statements):
        match node:
            case ast.Assign(targets=[ast.Name() as target], value=ast.Call() as value):
                yield target.id, value
            case ast.AnnAssign(target=ast.Name() as target, value=ast.Call() as value):
                yield target.id, value


def _walk_import(
    body: list[ast.stmt], walk: Callable[[list[ast.stmt]], Iterator[ast.AST]]
) -> Iterator[ast.AST]:
    """Yield what of a module's body is walked at import, the bodies of classes included."""
    for statement in body:
        if _is_main_part(statement):
            continue
        for node in walk([statement]):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _walk_import(node.body, walk)


def _is_main_part(statement: ast.stmt) -> bool:
    """Return whether a statement is `if __name__ == "__main__":`, or for type checkers alone."""
    if not isinstance(statement, ast.If):
        return False
    names = {node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(statement.test) if isinstance(node, ast.Attribute)}
    return not {"__name__", "TYPE_CHECKING"}.isdisjoint(names | attributes)


def _find_taker(call: ast.Call, imports: Mapping[str, str]) -> str | None:
    """Return the name of what takes a loop in a call, if it does."""
    name = _resolve(call.func, imports)
    if name in _TAKES_LOOP:
        return name
    if name in _RUNNERS and call.args and isinstance(call.args[0], ast.Call):
        inner = _resolve(call.args[0].func, imports)
        return inner if inner in _TAKES_LOOP_AWAITED else None
    return None


def _resolve(node: ast.expr, imports: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return imports.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolve(node.value, imports)
        return owner and f"{owner}.{node.attr}"
    return None


def _find_bound(value: object) -> str | None:
    """Return the name of a live object's class if such objects keep their loop."""
    for cls in type.__dict__["__mro__"].__get__(type(value)):
        name = _BOUND_CLASSES.get(f"{cls.__module__}.{cls.__qualname__}")
        if name is not None:
            return name
    return None
