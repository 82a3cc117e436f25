"""`executor.submit(…).result()` becomes `asyncio.wrap_future(executor.submit(…))`, awaited."""

from __future__ import annotations

import re

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.local_values import get_assigned, list_mentions
from flasync.toolkit.migration.parsed_file import FunctionNode, ParsedFile
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin

_CANCELS = re.compile(r"\bCancelledError\b|\bcancel_futures\b|\.cancel\(")
_COROUTINE_MAKER = "asyncio.run_coroutine_threadsafe"
# What may be asked of a future that is waited for elsewhere in the function.
_HARMLESS = frozenset({"done", "result", "running"})

_APP = """\
import asyncio
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
executor = ThreadPoolExecutor()


def count(number):
    return number + 1
"""


class ConcurrentFuture(Recipe):
    """Awaits the future of an executor instead of holding a thread until it is done."""

    name = "concurrent-future"
    title = "concurrent.futures.Future.result"
    names = ("concurrent.futures.Future.result",)

    page = RecipePage(
        what=(
            "Replaces `executor.submit(count, 1).result()` by"
            " `await asyncio.wrap_future(executor.submit(count, 1))`; the same for local"
            " variables and lists that hold such futures, and for"
            " `asyncio.run_coroutine_threadsafe(…)`."
        ),
        meaning=(
            "The executor and its threads or processes stay, and so do the result and the"
            " exception. A request that is cancelled while it waits takes back work that has not"
            " begun. In code that stays sync the wait goes to a thread: a future can only be"
            " wrapped where an event loop runs."
        ),
        safety=(
            "Safe. Nothing is done with a timeout, since asyncio would cancel the work at its end,"
            " and `result` lets it go on; with a future that comes from elsewhere and may be shared"
            " with other requests; in a file that cancels futures, because a cancelled one raises"
            " another `CancelledError` in asyncio; and where the executor belongs to a `with` block"
            " around the call, whose end waits as well."
        ),
        references=(
            (
                "asyncio.wrap_future",
                "https://docs.python.org/3/library/asyncio-future.html#asyncio.wrap_future",
            ),
        ),
    )

    changed = (
        Case(
            "where it is submitted",
            _APP
            + """

@app.get("/")
async def index():
    # In a thread of our own.
    return str(executor.submit(count, 1).result())  # a text
""",
            _APP
            + """

@app.get("/")
async def index():
    # In a thread of our own.
    return str(await asyncio.wrap_future(executor.submit(count, 1)))  # a text
""",
        ),
        Case(
            "in local variables",
            _APP
            + """

async def index():
    first = executor.submit(count, 1)
    second = executor.submit(count, number=2)
    return first.result() + second.result(timeout=None)
""",
            _APP
            + """

async def index():
    first = executor.submit(count, 1)
    second = executor.submit(count, number=2)
    return await asyncio.wrap_future(first) + await asyncio.wrap_future(second)
""",
        ),
        Case(
            "several at once",
            _APP
            + """

async def index(numbers):
    futures = [executor.submit(count, number) for number in numbers]
    total = 0
    for future in futures:
        total += future.result()
    return total, [each.result() for each in futures if each.done()]


async def search(numbers):
    futures = []
    for number in numbers:
        futures.append(executor.submit(count, number))
    return [future.result() for future in futures]
""",
            _APP
            + """

async def index(numbers):
    futures = [executor.submit(count, number) for number in numbers]
    total = 0
    for future in futures:
        total += await asyncio.wrap_future(future)
    return total, [await asyncio.wrap_future(each) for each in futures if each.done()]


async def search(numbers):
    futures = []
    for number in numbers:
        futures.append(executor.submit(count, number))
    return [await asyncio.wrap_future(future) for future in futures]
""",
        ),
        Case(
            "a coroutine on another loop",
            """\
from asyncio import run_coroutine_threadsafe


async def index(bot, loop):
    return run_coroutine_threadsafe(bot.fetch(), loop).result().title()
""",
            """\
import asyncio
from asyncio import run_coroutine_threadsafe


async def index(bot, loop):
    return (await asyncio.wrap_future(run_coroutine_threadsafe(bot.fetch(), loop))).title()
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "with a timeout",
                _APP
                + """

async def index(options):
    future = executor.submit(count, 1)
    executor.submit(count, 1).result(*options)
    return executor.submit(count, 1).result(timeout=5) + future.result(5)
""",
            ),
            (
                "a future from elsewhere",
                _APP
                + """

warmed = executor.submit(count, 1)


async def index(future):
    return future.result() + warmed.result()


async def search(started=None, again=False):
    if again:
        started = executor.submit(count, 1)
    return started.result()
""",
            ),
            (
                "a future that is given on, or bound twice",
                _APP
                + """

started = []


async def index():
    future = executor.submit(count, 1)
    started.append(future)
    other = executor.submit(count, 1)
    for other in started:
        other.result()
    return future.result() + other.result()


async def search():
    future = executor.submit(count, 1)

    def look():
        return future.result()

    return look
""",
            ),
            (
                "a list of futures that is given on, or comes from elsewhere",
                _APP
                + """

async def index(numbers, check):
    futures = [executor.submit(count, number) for number in numbers]
    check(futures)
    return [future.result() for future in futures]


async def find(numbers, started):
    futures = []
    futures.append(executor.submit(count, 1))
    futures.extend(started)
    return [future.result() for future in futures]


async def search(futures):
    for future in futures:
        future.result()


async def list_prices(started):
    futures = started
    return [future.result() for future in futures] + [each.result() for each in started()]
""",
            ),
            (
                "in a file that cancels",
                _APP
                + """

async def index():
    future = executor.submit(count, 1)
    future.cancel()
    return future.result()
""",
            ),
            (
                "an executor of a block",
                """\
from concurrent.futures import ThreadPoolExecutor


async def index():
    with ThreadPoolExecutor() as executor:
        future = executor.submit(str, 1)
        return future.result() + executor.submit(str, 2).result()
""",
            ),
            (
                "results of other classes",
                """\
class Query:
    def result(self):
        return "done"


async def index():
    return Query().result()
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the future, wrapped for the running loop."""
        _check_timeout(scene.bind("timeout"))
        if _CANCELS.search(scene.file.text):
            raise LeaveAlone("its file cancels futures, and asyncio tells that in another way")
        function = scene.file.find_enclosing(scene.call)
        if not isinstance(scene.call.func, cst.Attribute) or function is None:
            raise LeaveAlone("it stands outside of functions, where no request runs")
        future = scene.call.func.value
        if len(matchers.findall(scene.call, matchers.Comment())) != len(
            matchers.findall(future, matchers.Comment())
        ):
            raise LeaveAlone("a comment in it would be lost")
        for made in _find_made(scene.file, function, future):
            _check_making(scene.file, made)
        wrap, needed = scene.use("asyncio", "wrap_future")
        return Twin(cst.Call(wrap, [cst.Arg(future)]), (needed,), needs_loop=True)


def _check_timeout(given: dict[str, cst.Arg]) -> None:
    """Raise for a call that does not wait until the future is done, however long."""
    limit = given.get("timeout")
    if set(given) - {"timeout"} or (
        limit is not None and not matchers.matches(limit.value, matchers.Name("None"))
    ):
        raise LeaveAlone("at the end of its timeout asyncio would cancel the work")


def _find_made(
    file: ParsedFile, function: FunctionNode, future: cst.BaseExpression
) -> list[cst.BaseExpression]:
    """Return what may make a future: the expression itself, or what its variable is bound to."""
    if not isinstance(future, cst.Name):
        return [future]
    made: list[cst.BaseExpression] = []
    for mention, above in list_mentions(file, function, future.value):
        if isinstance(above, cst.AssignTarget):
            made.append(get_assigned(file, above))
        elif isinstance(above, cst.For | cst.CompFor) and above.target is mention:
            made += _find_elements(file, function, above.iter)
        elif not isinstance(above, cst.Attribute) or above.attr.value not in _HARMLESS:
            raise LeaveAlone(f"`{future.value}` may be seen by other requests")
    if not made:
        raise LeaveAlone(f"`{future.value}` comes from elsewhere, and may be seen by others")
    return made


def _find_elements(
    file: ParsedFile, function: FunctionNode, many: cst.BaseExpression
) -> list[cst.BaseExpression]:
    """Return what makes the elements of a list that is only iterated over in its function."""
    if isinstance(many, cst.ListComp):
        return [many.elt]
    if isinstance(many, cst.List | cst.Tuple):
        return [element.value for element in many.elements]
    if not isinstance(many, cst.Name):
        raise LeaveAlone("its futures may be seen by other requests")
    made: list[cst.BaseExpression] = []
    for mention, above in list_mentions(file, function, many.value):
        if isinstance(above, cst.AssignTarget):
            value = get_assigned(file, above)
            if isinstance(value, cst.Name):
                raise LeaveAlone(f"`{value.value}` may be seen by other requests")
            made += _find_elements(file, function, value)
        elif isinstance(above, cst.Attribute):
            made.append(_find_appended(file, above))
        elif not isinstance(above, cst.For | cst.CompFor) or above.iter is not mention:
            raise LeaveAlone(f"`{many.value}` may be seen by other requests")
    return made


def _find_appended(file: ParsedFile, method: cst.Attribute) -> cst.BaseExpression:
    """Return what a call of a list's `append` adds to it."""
    call = file.get_parent(method)
    if method.attr.value == "append" and isinstance(call, cst.Call) and call.func is method:
        match call.args:
            case [cst.Arg(star="", value=value)]:
                return value
    raise LeaveAlone("its futures may be seen by other requests")


def _check_making(file: ParsedFile, made: cst.BaseExpression) -> None:
    """Raise unless an expression makes a future that lasts as long as its work alone."""
    if not isinstance(made, cst.Call):
        raise LeaveAlone("its future may be seen by other requests")
    if _COROUTINE_MAKER in file.name_qualified(made.func):
        return
    if not matchers.matches(made.func, matchers.Attribute(attr=matchers.Name("submit"))):
        raise LeaveAlone("its future may be seen by other requests")
    assert isinstance(made.func, cst.Attribute)  # noqa: S101  matched
    if _is_of_block(file, made, made.func.value):
        raise LeaveAlone("its executor ends with the block around it, which waits as well")


def _is_of_block(file: ParsedFile, node: cst.CSTNode, executor: cst.BaseExpression) -> bool:
    """Return whether an executor is made by a `with` block around a node."""
    above = file.get_parent(node)
    while above is not None:
        if isinstance(above, cst.With) and any(
            item.asname is not None and item.asname.name.deep_equals(executor)
            for item in above.items
        ):
            return True
        above = file.get_parent(above)
    return False
