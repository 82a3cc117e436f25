"""FSY202: an event loop that a request starts for itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flasync.toolkit.finding import Finding
from flasync.toolkit.graph import CallSite, FunctionNode
from flasync.toolkit.request_walk import find_loop_functions
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program

# What runs a coroutine on an event loop of its own, by the names it may have in the call graph.
_RUNNERS = {
    "anyio.run": "anyio.run",
    "anyio._core._eventloop.run": "anyio.run",
    "asgiref.sync.AsyncToSync.__call__": "asgiref.sync.async_to_sync",
    "asyncio.Runner.run": "asyncio.Runner.run",
    "asyncio.run": "asyncio.run",
    "asyncio.runners.Runner.run": "asyncio.Runner.run",
    "asyncio.runners.run": "asyncio.run",
    "flasync.asgiref_calls._call": "asgiref.sync.async_to_sync",
}
# Makes a sync function, which is meant to be called where it is made, unless it is passed on.
_MAKER = "asgiref.sync.async_to_sync"
# Only event loops have a method of this name.
_LOOP_METHOD = "run_until_complete"

_APP = """\
import asyncio

import flask

app = flask.Flask(__name__)


async def fetch(number):
    await asyncio.sleep(0)
    return str(number)

"""


class NestedEventLoop(CodeRule):
    """Finds code of requests that runs a coroutine on another loop than the app's."""

    code = "FSY202"
    name = "nested-event-loop"
    advice = (
        "Await the coroutine in an `async def`; in a sync function call `flasync.await_(…)`, which"
        " works in both kinds of views."
    )

    page = Page(
        what=(
            "Finds `asyncio.run`, `loop.run_until_complete` and `asgiref.sync.async_to_sync` in"
            " code that runs in requests."
        ),
        why=(
            "Async code runs on an event loop, and `asyncio.run` makes a new one for a single"
            " call. In a sync view that works, slowly: a database pool or an HTTP client made on"
            " one loop cannot be used on the next, so each call must connect anew, and the worker"
            " thread waits all the while. As soon as the view, or whatever calls the function,"
            " becomes async, it fails: a thread runs one event loop at a time, and Python raises"
            " `RuntimeError: asyncio.run() cannot be called from a running event loop`. flasync has"
            " one loop for the whole process. `flasync.await_` uses it, from sync and async views,"
            " commands and tests alike."
        ),
        example="""\
def get_price(isbn):
    return asyncio.run(fetch_price(isbn))
""",
        instead="""\
from flasync import await_


def get_price(isbn):
    return await_(fetch_price(isbn))
""",
        fix_safety=(
            "`flasync migrate` awaits the coroutine in a view that moves to the event loop, and"
            " takes out the lines that made a loop for it; what it cannot replace keeps the view in"
            " its thread. The result is the same, but on the app's own loop: a client that the"
            " coroutine opens and closes for each call goes on working, and may then be made once"
            " and shared."
        ),
        references=(
            ("asyncio.run", "https://docs.python.org/3/library/asyncio-runner.html#asyncio.run"),
            (
                "async_to_sync",
                "https://docs.djangoproject.com/en/stable/topics/async/#async-to-sync",
            ),
        ),
    )

    invalid = (
        Case(
            "asyncio.run in a sync view",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    return asyncio.run(fetch(1))  # FSY202
"""
            },
        ),
        Case(
            "in a helper of an async view",
            {
                "app.py": _APP
                + """
def get_price():
    return asyncio.run(fetch(1))  # FSY202


@app.get("/")
async def index():
    return get_price()
"""
            },
        ),
        Case(
            "imported under another name, in a decorator",
            {
                "app.py": """\
import functools
from asyncio import run as run_now

import flask

app = flask.Flask(__name__)


def make_sync(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return run_now(function(*args, **kwargs))  # FSY202

    return wrapper


@make_sync
async def fetch(number):
    return str(number)


@app.get("/")
def index():
    return fetch(1)
"""
            },
        ),
        Case(
            "a loop made by hand",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(fetch(1))  # FSY202
    finally:
        loop.close()


@app.get("/runner")
def runner():
    with asyncio.Runner() as runner:
        return runner.run(fetch(1))  # FSY202
"""
            },
        ),
        Case(
            "async_to_sync, on the spot and made at import",
            {
                "app.py": _APP
                + """
from asgiref.sync import async_to_sync

fetch_now = async_to_sync(fetch)


@app.get("/")
def index():
    return async_to_sync(fetch)(1)  # FSY202


@app.get("/made")
def made():
    return fetch_now(1)  # FSY202
"""
            },
        ),
        Case(
            "in a hook",
            {
                "app.py": _APP
                + """
@app.before_request
def load_settings():
    flask.g.settings = asyncio.run(fetch(1))  # FSY202


@app.get("/")
def index():
    return flask.g.settings
"""
            },
        ),
    )
    valid = (
        Case(
            "async_to_sync, for a worker thread",
            {
                "app.py": _APP
                + """
from asgiref.sync import async_to_sync


@app.get("/")
async def index():
    return await asyncio.to_thread(async_to_sync(fetch), 1)
"""
            },
        ),
        Case(
            "in a command and in the main part",
            {
                "app.py": _APP
                + """
@app.cli.command("prices")
def prices():
    print(asyncio.run(fetch(1)))


@app.get("/")
async def index():
    return await fetch(1)


if __name__ == "__main__":
    asyncio.run(fetch(1))
"""
            },
        ),
        Case(
            "at import",
            {
                "app.py": _APP
                + """
SETTINGS = asyncio.run(fetch(1))


@app.get("/")
def index():
    return SETTINGS
"""
            },
        ),
        Case(
            "await_ and bridged",
            {
                "app.py": _APP
                + """
from flasync import await_, bridged


@app.get("/")
def index():
    return await_(fetch(1)) + bridged(fetch)(2)
"""
            },
        ),
        Case(
            "Flask's own seam",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    return app.ensure_sync(fetch)(1)
"""
            },
        ),
        Case(
            "in a worker thread",
            {
                "app.py": _APP
                + """
from flasync import run_sync


def fetch_apart():
    return asyncio.run(fetch(1))


@app.get("/")
async def index():
    return await run_sync(fetch_apart) + await asyncio.to_thread(fetch_apart)
"""
            },
        ),
        Case(
            "others that are called run",
            {
                "app.py": _APP
                + """
import subprocess


class Job:
    def run(self):
        return "done"


def run(job):
    return job.run()


@app.get("/")
def index():
    subprocess.run(["true"])
    return run(Job())


@app.get("/passed")
def passed(asyncio=Job()):
    return asyncio.run()
"""
            },
        ),
        Case(
            "in a comment and in a function that no request runs",
            {
                "app.py": _APP
                + """
def try_it():
    return asyncio.run(fetch(1))


@app.get("/")
async def index():
    # was: asyncio.run(fetch(1))
    return await fetch(1)
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the calls in requests that run a coroutine on a loop of their own."""
        for function, on_loop in find_loop_functions(program).items():
            for site in function.sites:
                name = _find_runner(site)
                if _MAKER in site.names and site.node not in _list_arguments(function):
                    name = _MAKER
                if name is not None:
                    yield self.report(site.place, name, _describe(name, on_loop), function)


def _find_runner(site: CallSite) -> str | None:
    """Return the public name of what runs a coroutine on another loop, if a call does."""
    if not isinstance(site.node, ast.Call):
        return None
    for name in site.names:
        if name in _RUNNERS:
            return _RUNNERS[name]
    callee = site.node.func
    if isinstance(callee, ast.Attribute) and callee.attr == _LOOP_METHOD:
        return f"asyncio.AbstractEventLoop.{_LOOP_METHOD}"
    return None


def _list_arguments(function: FunctionNode) -> set[ast.AST]:
    """Return the arguments of a function's calls."""
    calls = [site.node for site in function.sites if isinstance(site.node, ast.Call)]
    return {
        argument
        for call in calls
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    }


def _describe(name: str, on_loop: bool) -> str:
    if on_loop and name != "asgiref.sync.async_to_sync":
        return f"`{name}` raises RuntimeError here, because this code runs on the app's event loop"
    return (
        f"`{name}` runs its coroutine on an event loop of its own: clients and pools of the app's"
        " loop cannot be used there, and an async view must not wait like this"
    )
