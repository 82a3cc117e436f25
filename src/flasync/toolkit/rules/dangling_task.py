"""FSY203: a task that nobody keeps, and that may vanish before it is done."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator

from flasync.toolkit.finding import Finding
from flasync.toolkit.graph import CallSite, FunctionNode, Usage
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program
from flasync.toolkit.scopes import Scopes, open_scopes
from flasync.toolkit.statements import is_dropped

_MAKERS = {
    "asyncio.create_task": "asyncio.create_task",
    "asyncio.ensure_future": "asyncio.ensure_future",
    "asyncio.tasks.create_task": "asyncio.create_task",
    "asyncio.tasks.ensure_future": "asyncio.ensure_future",
}

_APP = """\
import asyncio

import flask

app = flask.Flask(__name__)


async def send_mail(to):
    await asyncio.sleep(0)

"""


class DanglingTask(CodeRule):
    """Finds tasks that are started and not kept."""

    code = "FSY203"
    name = "dangling-task"
    advice = (
        "Await the task, start it in an `async with asyncio.TaskGroup()` block, or keep it in a set"
        " until it is done: `tasks.add(task); task.add_done_callback(tasks.discard)`."
    )

    page = Page(
        what=(
            "Finds `asyncio.create_task`, `asyncio.ensure_future` and `loop.create_task` whose"
            " result is thrown away."
        ),
        why=(
            "A task is a coroutine that runs beside the code that started it. The event loop"
            " itself holds tasks only weakly. If your code keeps no reference, Python may remove"
            " the task in the middle of its work: the mail is sometimes not sent, without any"
            " error. What the task raises is noticed by nobody either, except as a line in the log"
            " much later. And the request's answer may be on its way before the task is done, so a"
            " restart of the server ends it."
        ),
        example="""\
@app.post("/orders")
async def order():
    asyncio.create_task(send_mail(request.form["email"]))
    return redirect("/thanks")
""",
        instead="""\
@app.post("/orders")
async def order():
    async with asyncio.TaskGroup() as group:
        group.create_task(send_mail(request.form["email"]))
        group.create_task(reserve(request.form["isbn"]))
    return redirect("/thanks")
""",
        fix_safety=(
            "No edit is made: only you know whether the request should wait for the task. If it"
            " should not, and the work must not be lost, hand it to a job queue."
        ),
        references=(
            (
                "asyncio.create_task: save a reference",
                "https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task",
            ),
            ("Task groups", "https://docs.python.org/3/library/asyncio-task.html#task-groups"),
        ),
    )

    invalid = (
        Case(
            "a statement of its own",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    asyncio.create_task(send_mail("a"))  # FSY203
    asyncio.ensure_future(send_mail("b"))  # FSY203
    return "sent"
"""
            },
        ),
        Case(
            "under another name, in a helper",
            {
                "app.py": """\
import asyncio as aio
from asyncio import create_task as start

import flask

app = flask.Flask(__name__)


async def send_mail(to):
    await aio.sleep(0)


def notify(to):
    start(send_mail(to))  # FSY203


@app.get("/")
async def index():
    notify("reader")
    return "sent"
"""
            },
        ),
        Case(
            "of a loop",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    loop = asyncio.get_running_loop()
    loop.create_task(send_mail("a"))  # FSY203
    asyncio.get_event_loop().create_task(send_mail("b"))  # FSY203
    return "sent"
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
    _ = asyncio.create_task(send_mail("a"))  # FSY203
    task: asyncio.Task = asyncio.create_task(send_mail("b"))  # FSY203
    return "sent"
"""
            },
        ),
        Case(
            "in a hook",
            {
                "app.py": _APP
                + """
@app.before_request
async def count():
    asyncio.create_task(send_mail("statistics"))  # FSY203


@app.get("/")
async def index():
    return "counted"
"""
            },
        ),
    )
    valid = (
        Case(
            "a task group",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    async with asyncio.TaskGroup() as group:
        group.create_task(send_mail("a"))
        group.create_task(send_mail("b"))
    return "sent"
"""
            },
        ),
        Case(
            "awaited or gathered",
            {
                "app.py": _APP
                + """
@app.get("/")
async def index():
    task = asyncio.create_task(send_mail("a"))
    await asyncio.create_task(send_mail("b"))
    await asyncio.gather(asyncio.ensure_future(send_mail("c")))
    await task
    return "sent"
"""
            },
        ),
        Case(
            "kept in a set, a list or an attribute",
            {
                "app.py": _APP
                + """
TASKS = set()


@app.get("/")
async def index():
    task = asyncio.create_task(send_mail("a"))
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)
    waiting = [asyncio.create_task(send_mail("b"))]
    flask.g.task = asyncio.create_task(send_mail("c"))
    await asyncio.gather(flask.g.task, *waiting)
    return "sent"
"""
            },
        ),
        Case(
            "returned, or read in a nested function",
            {
                "app.py": _APP
                + """
def start(to):
    return asyncio.create_task(send_mail(to))


@app.get("/")
async def index():
    task = start("a")
    other = asyncio.create_task(send_mail("b"))

    async def finish():
        await other

    await finish()
    await task
    return "sent"
"""
            },
        ),
        Case(
            "functions of the project with these names",
            {
                "app.py": _APP
                + """
class Board:
    def create_task(self, title):
        return title


def create_task(title):
    return title


@app.get("/")
def index():
    board = Board()
    board.create_task("write")
    create_task("read")
    # asyncio.create_task(send_mail("a"))
    return "written"
"""
            },
        ),
        Case(
            "a global that others read",
            {
                "app.py": _APP
                + """
poller = None


@app.get("/")
async def index():
    global poller
    poller = asyncio.create_task(send_mail("a"))
    return "started"
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the calls that start a task and drop it."""
        scopes = open_scopes(program)
        for function in [*program.functions, *program.outside]:
            for site in function.sites:
                if site.usage is Usage.AWAITED or function.tree is None:
                    continue
                name = _find_maker(site, function, scopes)
                if name is not None and is_dropped(site, function.tree):
                    message = (
                        f"Nothing keeps the task that `{name}` starts here: Python may remove it"
                        " before it is done, and nobody sees its errors"
                    )
                    yield self.report(site.place, name, message, function)


def _find_maker(site: CallSite, function: FunctionNode, scopes: Scopes) -> str | None:
    """Return the name of what makes a task, if a call does."""
    if not isinstance(site.node, ast.Call):
        return None
    for name in site.names:
        if name in _MAKERS:
            return _MAKERS[name]
    callee = site.node.func
    if isinstance(callee, ast.Attribute) and callee.attr == "create_task":
        scope = scopes.get(function)
        cls = scope.find_class(callee.value) if scope is not None else None
        if cls is not None and issubclass(cls, asyncio.AbstractEventLoop):
            return "loop.create_task"
    return None
