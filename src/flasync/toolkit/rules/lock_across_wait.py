"""FSY303: a thread's lock that is held while a request waits on the event loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flasync.toolkit.finding import Finding, Severity
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.held_locks import list_held
from flasync.toolkit.request_walk import find_loop_functions
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program
from flasync.toolkit.scopes import THREAD_LOCKS, open_scopes
from flasync.toolkit.statements import walk_nodes
from flasync.toolkit.waiting import find_leading_to, is_bridge, list_run

_APP = """\
import asyncio
import threading

import flask
from flasync import await_

app = flask.Flask(__name__)
lock = threading.Lock()


async def fetch():
    await asyncio.sleep(0)
    return "fetched"

"""


class LockAcrossWait(CodeRule):
    """Finds `with lock:` blocks that wait on the event loop."""

    code = "FSY303"
    name = "lock-across-wait"
    severity = Severity.ERROR
    advice = (
        "Use an `asyncio.Lock` with `async with`, or take the lock only around the lines that do"
        " not wait."
    )

    page = Page(
        what=(
            "Finds locks of the `threading` module that are held across an `await` or a"
            " `flasync.await_(…)`."
        ),
        why=(
            "Async views share one thread. At an `await`, a request pauses and lets the others run;"
            " the lock stays taken. The next request that wants the lock does not pause: it stops"
            " the whole thread until the lock is free. The first request, which has it, needs this"
            " very thread to go on. So nothing moves any more, for all visitors, until the server"
            " is restarted. An `asyncio.Lock` is made for this: who waits for it pauses like at any"
            " other `await`."
        ),
        example="""\
lock = threading.Lock()


@app.get("/token")
async def token():
    with lock:
        return await fetch_token()
""",
        instead="""\
lock = asyncio.Lock()


@app.get("/token")
async def token():
    async with lock:
        return await fetch_token()
""",
        fix_safety=(
            "No edit is made. An `asyncio.Lock` guards code on the event loop alone: if sync views"
            " take the same lock in their threads, they must do so through the loop as well, with"
            " `flasync.await_(lock.acquire())`, or the waiting must move out of the block."
        ),
        references=(
            ("asyncio.Lock", "https://docs.python.org/3/library/asyncio-sync.html#lock"),
            (
                "asyncio and threads",
                "https://docs.python.org/3/library/asyncio-dev.html#concurrency-and-multithreading",
            ),
        ),
    )

    invalid = (
        Case(
            "in an async view",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    with lock:  # FSY303
        return await fetch()
"""
            },
        ),
        Case(
            "of another kind, and another name",
            {
                "app.py": """\
import asyncio
import threading as th
from threading import Semaphore as Limit

import flask

app = flask.Flask(__name__)
again = th.RLock()
limit = Limit(3)
changed = th.Condition()


async def count():
    yield 1


@app.get("/")
async def index():
    with again:  # FSY303
        await asyncio.sleep(0)
    with open("/dev/null") as file, limit:  # FSY303
        async for number in count():
            file.read(number)
    with changed:  # FSY303
        async with asyncio.timeout(1):
            pass
    return "done"
"""
            },
        ),
        Case(
            "await_ in sync code, through a helper",
            {
                "app.py": _APP
                + """
def load():
    return await_(fetch())


@app.get("/")
def index():
    with lock:  # FSY303
        return load()


@app.get("/direct")
def direct():
    with lock:  # FSY303
        return await_(fetch())
"""
            },
        ),
        Case(
            "in an attribute, and of the function itself",
            {
                "app.py": _APP
                + """
class Cache:
    def __init__(self):
        self._guard = threading.RLock()

    async def get(self):
        with self._guard:  # FSY303
            return await fetch()


cache = Cache()


@app.get("/")
async def index():
    mine = threading.Lock()

    async def fetch_one():
        with mine:  # FSY303
            await fetch()

    await asyncio.gather(fetch_one(), fetch_one())
    return await cache.get()
"""
            },
        ),
        Case(
            "acquired and released by hand",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    lock.acquire()  # FSY303
    try:
        return await fetch()
    finally:
        lock.release()
"""
            },
        ),
    )
    valid = (
        Case(
            "an asyncio.Lock",
            {
                "app.py": _APP
                + """
guard = asyncio.Lock()


@app.get("/")
async def index():
    async with guard:
        return await fetch()
"""
            },
        ),
        Case(
            "released before the wait",
            {
                "app.py": _APP
                + """
COUNTS = {"seen": 0}


@app.get("/")
async def index():
    with lock:
        COUNTS["seen"] += 1
    found = await fetch()
    lock.acquire()
    try:
        COUNTS["seen"] -= 1
    finally:
        lock.release()
    return found
"""
            },
        ),
        Case(
            "a blocking call in a sync view",
            {
                "app.py": _APP
                + """
import time


@app.get("/")
def index():
    with lock:
        time.sleep(0.01)
    return "done"
"""
            },
        ),
        Case(
            "only a function defined in the block waits",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    with lock:

        async def later():
            await fetch()

        coroutine = fetch()
        # await coroutine
    await later()
    return await coroutine
"""
            },
        ),
        Case(
            "other context managers, a shadowed name",
            {
                "app.py": _APP
                + """
from contextlib import nullcontext, suppress


async def guarded(lock):
    with lock:
        return await fetch()


@app.get("/")
async def index():
    with suppress(ValueError):
        await fetch()
    lock = nullcontext()
    with lock:
        await fetch()
    return await guarded(nullcontext())
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": _APP
                + """
async def load():
    with lock:
        await fetch()


@app.cli.command("load")
def load_all():
    asyncio.run(load())


@app.get("/")
async def index():
    return await fetch()
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the places in requests where a lock is taken and kept across a wait."""
        functions = list(find_loop_functions(program))
        bridging = find_leading_to(functions, is_bridge)
        scopes = open_scopes(program)
        for function in functions:
            if function.tree is None or not (function.is_async or function in bridging):
                continue
            scope = scopes.get(function)
            if scope is None or function.source is None:
                continue
            switches = _list_switches(function, bridging)
            for statement, lock, body in list_held(scope.tree):
                cls = scope.find_class(lock)
                if cls is None or not issubclass(cls, THREAD_LOCKS):
                    continue
                wait = _find_wait(body, switches)
                if wait is not None:
                    name = ast.unparse(lock)
                    message = (
                        f"`{name}` is held across the wait in line {wait}: the next request on the"
                        " event loop that wants it stops all requests for good"
                    )
                    place = function.source.locate(statement)
                    yield self.report(place, name, message, function)


def _list_switches(function: FunctionNode, bridging: set[FunctionNode]) -> set[ast.AST]:
    """Return the calls in a function that wait through `await_`, by themselves or further down."""
    return {
        site.node
        for site in function.sites
        if is_bridge(site) or not bridging.isdisjoint(list_run(site))
    }


def _find_wait(body: list[ast.stmt], switches: set[ast.AST]) -> int | None:
    """Return the line of the first wait of a block, or None."""
    for node in walk_nodes(body):
        if node in switches or isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return int(getattr(node, "lineno", body[0].lineno))
        if isinstance(node, ast.comprehension) and node.is_async:
            return node.iter.lineno
    return None
