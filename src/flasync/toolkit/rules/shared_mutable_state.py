"""FSY301: shared state that a request reads, waits, and then changes."""

from __future__ import annotations

import ast
import collections
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from flasync.toolkit import syntax
from flasync.toolkit.finding import Finding
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.interpreter.trees import read_facts
from flasync.toolkit.races import MUTATORS, Race, RaceFinder
from flasync.toolkit.request_walk import find_loop_functions
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program
from flasync.toolkit.scopes import LOCKS, MISSING, Scope, find_file, open_scopes
from flasync.toolkit.sources import FunctionTree, Sources
from flasync.toolkit.statements import walk_own, walk_statements
from flasync.toolkit.waiting import Waits, is_plain_await

_CONTAINERS = frozenset(
    {
        bytearray,
        collections.Counter,
        collections.OrderedDict,
        collections.defaultdict,
        collections.deque,
        dict,
        list,
        set,
    }
)
# The statements that may change something themselves.
_CHANGING = frozenset(
    {ast.AnnAssign, ast.Assign, ast.AugAssign, ast.Delete, ast.Expr, ast.Global, ast.Nonlocal}
    | {ast.Return}
)
_LOCK_WORDS = ("lock", "mutex", "semaphore")

_APP = """\
import asyncio
import time

import flask

app = flask.Flask(__name__)
STOCK = {"emma": 3}


async def ask_supplier(title):
    await asyncio.sleep(0)
    return 1

"""


class SharedMutableState(CodeRule):
    """Finds changes of module-level state that rest on what was read before a wait."""

    code = "FSY301"
    name = "shared-mutable-state"
    advice = (
        "Read it again after the wait, or hold an `asyncio.Lock` (in sync views a"
        " `threading.Lock`) from the reading to the change; with several processes, keep it in"
        " the database or in Redis."
    )

    page = Page(
        what=(
            "Finds views that read a module-level dict, list or variable, then wait, and then"
            " change it by what they have read."
        ),
        why=(
            "All requests of a process share its module-level objects. While one request waits for"
            " a database or another service, others run. If both have read the same number before"
            " the wait, both write the same result after it, and one change is lost: two visitors"
            " buy the last book, or two requests fetch the same token. With threads this is rare"
            " enough to stay unnoticed; on an event loop every wait is a moment at which another"
            " request takes over. Nothing of it can happen between two lines without a wait."
        ),
        example="""\
STOCK = {"emma": 3}


@app.post("/buy/<title>")
async def buy(title):
    left = STOCK[title]
    await charge_card()
    STOCK[title] = left - 1
    return "sold"
""",
        instead="""\
STOCK = {"emma": 3}


@app.post("/buy/<title>")
async def buy(title):
    await charge_card()
    STOCK[title] -= 1  # no wait between reading and writing
    return "sold"
""",
        fix_safety=(
            "No edit is made: what must hold together is a decision. A lock is safe when it is"
            " held from the reading to the change. Several worker processes each have their own"
            " copy of the object, which no lock mends."
        ),
        references=(
            ("asyncio.Lock", "https://docs.python.org/3/library/asyncio-sync.html#lock"),
            (
                "Time of check to time of use",
                "https://en.wikipedia.org/wiki/Time-of-check_to_time-of-use",
            ),
        ),
    )

    invalid = (
        Case(
            "read, awaited, written",
            {
                "app.py": _APP
                + """
@app.get("/<title>")
async def buy(title):
    left = STOCK[title]
    await ask_supplier(title)
    STOCK[title] = left - 1  # FSY301
    return "sold"
"""
            },
        ),
        Case(
            "in a sync view, with a blocking call",
            {
                "app.py": _APP
                + """
visits = 0


@app.get("/")
def index():
    global visits
    seen = visits
    time.sleep(0.1)
    visits = seen + 1  # FSY301
    return str(visits)
"""
            },
        ),
        Case(
            "tested, awaited, set",
            {
                "app.py": _APP
                + """
@app.get("/<title>")
async def price(title):
    if title not in STOCK:
        STOCK[title] = await ask_supplier(title)  # FSY301
    return str(STOCK[title])


@app.get("/early/<title>")
async def early(title):
    found = STOCK.get(title)
    if found is not None:
        return str(found)
    found = await ask_supplier(title)
    STOCK[title] = found  # FSY301
    return str(found)
"""
            },
        ),
        Case(
            "in one statement",
            {
                "app.py": _APP
                + """
total = 0


@app.get("/")
async def index():
    global total
    total += await ask_supplier("emma")  # FSY301
    STOCK["emma"] = STOCK["emma"] + await ask_supplier("emma")  # FSY301
    return str(total)
"""
            },
        ),
        Case(
            "of another module, waiting in a helper",
            {
                "app.py": """\
import flask

import state as shared
from supplier import ask

app = flask.Flask(__name__)


@app.get("/")
def index():
    if shared.token is None:
        shared.token = ask()  # FSY301
    if not shared.PRICES:
        shared.PRICES.update(emma=ask())  # FSY301
    return str(shared.token)
""",
                "state.py": """\
token = None
PRICES = {}
""",
                "supplier.py": """\
import time


def ask():
    return answer()


def answer():
    time.sleep(0.1)
    return 1
""",
            },
        ),
        Case(
            "the next number of a list",
            {
                "app.py": _APP
                + """
ORDERS = {}


@app.get("/")
async def order():
    number = len(ORDERS) + 1
    price = await ask_supplier("emma")
    ORDERS[number] = price  # FSY301
    return str(number)
"""
            },
        ),
        Case(
            "an object of a factory and one of a class",
            {
                "app.py": """\
import asyncio

import flask


class Shop:
    def __init__(self):
        self.sold = 0


shop = Shop()


def create_app():
    app = flask.Flask(__name__)
    seen = []

    @app.get("/")
    async def index():
        if "first" not in seen:
            await asyncio.sleep(0)
            seen.append("first")  # FSY301
        sold = shop.sold
        await asyncio.sleep(0)
        shop.sold = sold + 1  # FSY301
        return "sold"

    return app
"""
            },
        ),
    )
    valid = (
        Case(
            "no wait between reading and writing",
            {
                "app.py": _APP
                + """
@app.get("/<title>")
async def buy(title):
    await ask_supplier(title)
    STOCK[title] = STOCK[title] - 1
    STOCK[title] -= 1
    if title not in STOCK:
        STOCK[title] = 0
    await ask_supplier(title)
    return "sold"
"""
            },
        ),
        Case(
            "under a lock",
            {
                "app.py": _APP
                + """
import threading

guard = asyncio.Lock()
mutex = threading.Lock()


@app.get("/<title>")
async def buy(title):
    async with guard:
        left = STOCK[title]
        await ask_supplier(title)
        STOCK[title] = left - 1
    return "sold"


@app.get("/sync/<title>")
def buy_sync(title):
    with mutex:
        if title not in STOCK:
            time.sleep(0.1)
            STOCK[title] = 1
    return "sold"
"""
            },
        ),
        Case(
            "tested again after the wait",
            {
                "app.py": _APP
                + """
@app.get("/<title>")
async def price(title):
    if title not in STOCK:
        found = await ask_supplier(title)
        if title not in STOCK:
            STOCK[title] = found
    return str(STOCK[title])


@app.get("/default/<title>")
async def default(title):
    if title not in STOCK:
        STOCK.setdefault(title, await ask_supplier(title))
    return str(STOCK[title])
"""
            },
        ),
        Case(
            "reserved before the wait",
            {
                "app.py": _APP
                + """
PRICES = {}


@app.get("/<title>")
async def price(title):
    if title not in PRICES:
        PRICES[title] = None
        PRICES[title] = await ask_supplier(title)
    return str(PRICES[title])
"""
            },
        ),
        Case(
            "locals, parameters and what belongs to the request",
            {
                "app.py": _APP
                + """
def count(STOCK):
    left = STOCK["emma"]
    time.sleep(0.1)
    STOCK["emma"] = left - 1
    return STOCK


@app.get("/")
async def index():
    prices = {}
    if "emma" not in prices:
        prices["emma"] = await ask_supplier("emma")
    user = flask.g.get("user")
    await ask_supplier("emma")
    flask.g.user = user
    flask.session["seen"] = flask.session.get("seen", 0) + await ask_supplier("emma")
    return prices


@app.get("/counted")
def counted():
    return count({"emma": 1})
"""
            },
        ),
        Case(
            "a comprehension's or an inner function's name",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    async def load():
        STOCK = {}
        if "emma" not in STOCK:
            STOCK["emma"] = await ask_supplier("emma")
        return STOCK

    found = [STOCK for STOCK in ({"a": 1}, {"b": 2})]
    return [await load(), *found]
"""
            },
        ),
        Case(
            "other keys, and writes that rest on nothing",
            {
                "app.py": _APP
                + """
SEEN = {"url": "supplier", "answer": None}
LOG = []


@app.get("/")
async def index():
    SEEN["answer"] = await ask_supplier(SEEN["url"])
    LOG.append(await ask_supplier("emma"))
    STOCK["austen"] = await ask_supplier("austen")
    STOCK["emma"] += 1
    return "seen"
"""
            },
        ),
        Case(
            "read after the wait of another way",
            {
                "app.py": _APP
                + """
@app.get("/<title>")
async def price(title):
    if title in STOCK:
        await ask_supplier(title)
        return "known"
    STOCK[title] = 1
    return "new"
"""
            },
        ),
        Case(
            "a cache of functools, constants, the app's own settings",
            {
                "app.py": _APP
                + """
import functools

LIMIT = 3


@functools.lru_cache
def load(title):
    time.sleep(0.1)
    return title


@app.get("/<title>")
def price(title):
    if "SUPPLIER" not in app.config:
        time.sleep(0.1)
        app.config["SUPPLIER"] = LIMIT
    return load(title)
"""
            },
        ),
        Case(
            "a coroutine that waits for nothing",
            {
                "app.py": _APP
                + """
async def describe(title):
    return title.title()


@app.get("/<title>")
async def index(title):
    if title not in STOCK:
        name = await describe(title)
        # await ask_supplier(title)
        STOCK[title] = len(name)
    return "new"
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": _APP
                + """
@app.cli.command("count")
def count():
    left = STOCK["emma"]
    time.sleep(0.1)
    STOCK["emma"] = left - 1


@app.get("/")
def index():
    return "counted"
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the changes in requests that rest on what was read before a wait."""
        functions = list(find_loop_functions(program))
        writing = _find_writing(functions)
        if not writing:
            return
        trees = {function.tree for function in functions}
        waits = Waits(functions)
        seen: set[tuple[FunctionTree | None, frozenset[int]]] = set()
        scopes = open_scopes(program)
        for function in functions:
            if function.tree not in writing:
                continue
            places = frozenset(waits.find(function))
            if (function.tree, places) in seen or not (places or function.is_async):
                continue
            # The same function with other arguments, and the same waits, has the same races.
            seen.add((function.tree, places))
            scope = scopes.get(function)
            if scope is None or function.source is None or _locks_by_hand(function):
                continue
            for race in _SharedState(scope, program.sources, trees).find_races(places):
                place = function.source.locate(race.write)
                yield self.report(place, race.path, _describe(race), function)


class _SharedState:
    """What a function can change that other requests see too."""

    def __init__(
        self, scope: Scope, sources: Sources, request_trees: set[FunctionTree | None]
    ) -> None:
        self._scope = scope
        self._sources = sources
        self._request_trees = request_trees
        self._rebound = {
            name
            for statement in walk_statements(getattr(scope.tree, "body", []))
            if isinstance(statement, ast.Global | ast.Nonlocal)
            for name in statement.names
            if isinstance(statement, ast.Global) or self._is_made_once(name)
        }

    def find_races(self, waits: frozenset[int]) -> list[Race]:
        """Return the races of the function, whose waits have these nodes' ids."""
        finder = RaceFinder(
            self._get_path, lambda node: id(node) in waits or is_plain_await(node), self._is_lock
        )
        return finder.find(self._scope.tree)

    def _get_path(self, node: ast.expr) -> str | None:
        """Return the name of a shared variable or container, or None for anything else."""
        if isinstance(node, ast.Name):
            if node.id in self._rebound or self._is_container(node):
                return node.id
        elif isinstance(node, ast.Attribute) and self._is_own(self._scope.find_value(node.value)):
            return ast.unparse(node)
        return None

    def _is_container(self, node: ast.Name) -> bool:
        is_shared = self._scope.is_global(node.id) or self._is_made_once(node.id)
        return is_shared and self._scope.find_class(node) in _CONTAINERS

    def _is_made_once(self, name: str) -> bool:
        """Return whether a name belongs to a function around this one that no request runs."""
        owner = self._scope.find_owner(name)
        return owner is not None and owner not in self._request_trees

    def _is_own(self, owner: Any) -> bool:
        """Return whether an object is a module, a class or an instance of the project's code."""
        if owner is MISSING or issubclass(type(owner), threading.local):
            return False
        filename = find_file(owner)
        return filename is not None and self._sources.is_own(filename)

    def _is_lock(self, node: ast.expr) -> bool:
        cls = self._scope.find_class(node)
        if cls is not None and issubclass(cls, LOCKS):
            return True
        return any(word in ast.unparse(node).lower() for word in _LOCK_WORDS)


def _find_writing(functions: Iterable[FunctionNode]) -> set[FunctionTree | None]:
    """Return the trees of functions that may change what is not their own, each looked at once."""
    by_tree = {function.tree: function for function in functions}
    return {tree for tree, function in by_tree.items() if _may_write(function)}


def _may_write(function: FunctionNode) -> bool:
    """Return whether a function seems to change what is not its own: a quick first look."""
    tree = function.tree
    if tree is None or isinstance(tree, ast.Lambda):
        return False
    return any(
        isinstance(statement, ast.Global | ast.Nonlocal)
        or any(_may_be_shared(node, function) for node in _list_changed(statement))
        for statement in syntax.walk_statements(tree)
        if statement.__class__ in _CHANGING
    )


def _list_changed(statement: ast.AST) -> Iterator[ast.expr]:
    """Yield the objects that a statement changes."""
    match statement:
        case ast.Assign(targets=targets):
            yield from targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield target
        case ast.Delete(targets=targets):
            yield from targets
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr in MUTATORS:
            yield value.func


def _may_be_shared(node: ast.expr, function: FunctionNode) -> bool:
    """Return whether an expression may start with a name from outside of the function."""
    tree = function.tree
    if isinstance(node, ast.Tuple | ast.List):
        return any(_may_be_shared(element, function) for element in node.elts)
    is_part = isinstance(node, ast.Attribute | ast.Subscript)
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if not isinstance(node, ast.Name) or tree is None or node.id in read_facts(tree).local_names:
        return False
    # A function that is indented may be in another one, whose names are not among the globals.
    is_nested = is_part and tree.col_offset > 0
    return is_nested or node.id in function.namespace


def _locks_by_hand(function: FunctionNode) -> bool:
    """Return whether a function calls `acquire()`: what that guards cannot be told in general."""
    source, tree = function.source, function.tree
    if source is None or tree is None or "acquire" not in source.text:
        return False
    return any(
        isinstance(node, ast.Attribute) and node.attr == "acquire" for node in walk_own(tree)
    )


def _describe(race: Race) -> str:
    # An `async for` in a comprehension has no line of its own.
    waited = getattr(race.wait, "lineno", race.read.lineno)
    return (
        f"`{race.path}` is read in line {race.read.lineno}, before the wait in line {waited}, and"
        " changed here by what was read: another request may have changed it in between"
    )
