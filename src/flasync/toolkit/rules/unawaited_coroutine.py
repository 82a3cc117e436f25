"""FSY201: a coroutine that is made and thrown away."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any

from flasync.toolkit.finding import Finding, Severity
from flasync.toolkit.graph import CallSite, Usage
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program
from flasync.toolkit.scopes import MISSING, Scope, find_named, open_scopes
from flasync.toolkit.statements import is_coroutine_function, is_dropped

_APP = """\
import asyncio

import flask

app = flask.Flask(__name__)


async def send_mail(to):
    await asyncio.sleep(0)

"""


class UnawaitedCoroutine(CodeRule):
    """Finds calls of coroutine functions whose body never runs."""

    code = "FSY201"
    name = "unawaited-coroutine"
    severity = Severity.ERROR
    advice = (
        "Write `await` before the call; in a sync function use `flasync.await_(…)`, which waits"
        " for it there."
    )

    page = Page(
        what="Finds calls of `async def` functions whose result nobody awaits or keeps.",
        why=(
            "Calling an `async def` function does not run it. The call only makes a coroutine, an"
            " object that runs when it is awaited. A line such as `send_mail(user)` without"
            " `await` therefore does nothing: no mail, no error, and at most a warning in the log"
            " (`coroutine 'send_mail' was never awaited`). It happens most often in the middle of"
            " a rewrite, when a helper has become async and one of its callers was overlooked."
        ),
        example="""\
@app.post("/orders")
async def order():
    save_order(request.form)  # an async def: nothing is saved
    return redirect("/thanks")
""",
        instead="""\
@app.post("/orders")
async def order():
    await save_order(request.form)
    return redirect("/thanks")
""",
        fix_safety=(
            "No edit is made. In an `async def`, `await` is nearly always what was meant, but the"
            " body then runs for the first time, and its errors become the view's. Should it run"
            " while the view goes on, put it into an `asyncio.TaskGroup`."
        ),
        references=(
            ("Coroutines", "https://docs.python.org/3/library/asyncio-task.html#coroutines"),
            (
                "Never-awaited coroutines",
                "https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines",
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
    send_mail("reader")  # FSY201
    return "sent"
"""
            },
        ),
        Case(
            "in a helper of a sync view",
            {
                "app.py": _APP
                + """
def notify(to):
    send_mail(to)  # FSY201


@app.get("/")
def index():
    notify("reader")
    return "sent"
"""
            },
        ),
        Case(
            "a function of another module under another name",
            {
                "app.py": """\
import flask

import mail as post

app = flask.Flask(__name__)
deliver = post.send


@app.get("/")
async def index():
    post.send("a")  # FSY201
    deliver("b")  # FSY201
    return "sent"
""",
                "mail.py": """\
async def send(to):
    return to
""",
            },
        ),
        Case(
            "a method, partly rewritten",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


class Basket:
    async def add(self, title):
        return title

    async def clear(self):
        await self.add("")


@app.get("/")
async def index():
    basket = Basket()
    await basket.add("Emma")
    basket.clear()  # FSY201
    return "cleared"
"""
            },
        ),
        Case(
            "of a library",
            {
                "app.py": """\
import asyncio
from asyncio import sleep as pause

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    asyncio.sleep(1)  # FSY201
    pause(1)  # FSY201
    return "no pause"
"""
            },
        ),
        Case(
            "of an async client",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


@app.get("/")
async def index():
    client = httpx.AsyncClient()
    client.get("http://localhost/")  # FSY201
    client.aclose()  # FSY201
    return "asked"
"""
            },
        ),
        Case(
            "kept under a name that nobody reads",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    result = send_mail("reader")  # FSY201
    return "sent"
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": _APP
                + """
@app.cli.command("newsletter")
def newsletter():
    send_mail("everybody")  # FSY201


@app.get("/")
def index():
    return "done"
"""
            },
        ),
    )
    valid = (
        Case(
            "awaited, gathered, put into tasks",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    await send_mail("a")
    await asyncio.gather(send_mail("b"), send_mail("c"))
    async with asyncio.TaskGroup() as group:
        group.create_task(send_mail("d"))
    task = asyncio.create_task(send_mail("e"))
    await asyncio.wait_for(send_mail("f"), timeout=1)
    await task
    return "sent"
"""
            },
        ),
        Case(
            "returned by a sync view or a decorator",
            {
                "app.py": _APP
                + """
import functools


def logged(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper


@app.get("/")
def index():
    return send_mail("reader")


@app.get("/logged")
@logged
async def listed():
    await send_mail("reader")
    return "sent"
"""
            },
        ),
        Case(
            "awaited later, from a name, a list or an attribute",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    first = send_mail("a")
    others = [send_mail("b")]
    others.append(send_mail("c"))
    flask.g.last = send_mail("d")
    await first
    await asyncio.gather(*others, flask.g.last)
    return "sent"
"""
            },
        ),
        Case(
            "run by sync code",
            {
                "app.py": _APP
                + """
from asgiref.sync import async_to_sync
from flasync import await_, bridged

send_now = bridged(send_mail)


@app.get("/")
def index():
    await_(send_mail("a"))
    asyncio.run(send_mail("b"))
    async_to_sync(send_mail)("b")
    send_now("c")
    app.ensure_sync(send_mail)("d")
    return "sent"
"""
            },
        ),
        Case(
            "a decorator that makes it sync",
            {
                "app.py": """\
import asyncio
import functools

import flask

app = flask.Flask(__name__)


def make_sync(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return asyncio.run(function(*args, **kwargs))

    return wrapper


@make_sync
async def send_mail(to):
    await asyncio.sleep(0)


@app.get("/")
def index():
    send_mail("reader")
    return "sent"
"""
            },
        ),
        Case(
            "a sync function of the same name",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    def send_mail(to):
        return to

    send_mail("reader")
    return "sent"


@app.get("/passed")
def passed(send_mail=print):
    send_mail("reader")
    return "sent"
"""
            },
        ),
        Case(
            "a nested coroutine function that is awaited",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    async def send_all():
        # send_mail("nobody")
        await send_mail("reader")

    await send_all()
    return "sent"
"""
            },
        ),
        Case(
            "a method that is sync in this class",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


class Async:
    async def close(self):
        return None


class Sync(Async):
    def close(self):
        return None


@app.get("/")
def index():
    connection = Sync()
    connection.close()
    return "closed"
"""
            },
        ),
        Case(
            "one of two clients, by a setting",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


@app.get("/")
def index():
    is_async = app.config.get("ASYNC")
    client = httpx.AsyncClient() if is_async else httpx.Client()
    if not is_async:
        client.get("http://localhost/")
    return "asked"
"""
            },
        ),
        Case(
            "an async generator, which is iterated over",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


async def count():
    yield "1"


@app.get("/")
async def index():
    return [number async for number in count()]


@app.get("/stream")
def stream():
    return count()
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the calls of coroutine functions whose value is dropped."""
        scopes = open_scopes(program)
        library = _Library()
        for function in [*program.functions, *program.outside]:
            for site in function.sites:
                if site.usage is Usage.AWAITED or function.tree is None:
                    continue
                name = _find_own(site) or library.find(site)
                if name is None or not is_dropped(site, function.tree):
                    continue
                scope = scopes.get(function)
                if scope is not None and _is_direct(site.node, scope):
                    message = (
                        f"`{site.text}` only makes a coroutine, and nothing awaits it: the body of"
                        f" `{name}` never runs"
                    )
                    yield self.report(site.place, name, message, function)


class _Library:
    """Which functions of other code give a coroutine."""

    def __init__(self) -> None:
        self._known: dict[str, bool | None] = {}
        self._found: dict[tuple[str, ...], str | None] = {}

    def find(self, site: CallSite) -> str | None:
        """Return the name of a coroutine function that a call calls, if it is none of ours."""
        if site.targets:
            return None
        if site.names not in self._found:
            self._found[site.names] = self._find(site.names)
        return self._found[site.names]

    def _find(self, names: tuple[str, ...]) -> str | None:
        # Where a sync and an async client may be called, the async one may never be at this place.
        kinds = {name: self._is_coroutine(name) for name in names}
        known = {kind for kind in kinds.values() if kind is not None}
        return next(name for name, kind in kinds.items() if kind) if known == {True} else None

    def _is_coroutine(self, name: str) -> bool | None:
        if name not in self._known:
            live = find_named(name)
            self._known[name] = None if live is MISSING else _gives_coroutine(live)
        return self._known[name]


def _find_own(site: CallSite) -> str | None:
    """Return the name of the project's coroutine function that a call calls."""
    if site.targets and all(is_coroutine_function(target.tree) for target, _ in site.targets):
        return site.targets[0][0].name
    return None


def _is_direct(node: ast.AST, scope: Scope) -> bool:
    """Return whether a call calls the function itself, and not something that runs it.

    The call graph has the coroutine function as the target of `asyncio.run`, of a decorator from
    other code, and of what a function makes when it runs.
    """
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return False
    live = scope.find_value(node.func)
    return live is MISSING or _gives_coroutine(live)


def _gives_coroutine(live: Any) -> bool:
    return type(live) in {FunctionType, MethodType} and inspect.iscoroutinefunction(live)
