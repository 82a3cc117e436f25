"""The old and the new code of a recipe, run side by side wherever an app may run it."""

import asyncio
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import flask
import libcst as cst
import pytest
from libcst import matchers

from conftest import Call, Serving
from flasync import await_
from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import CallChange, Safety
from flasync.toolkit.migration.recipe import LeaveAlone, Recipe, Scene
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import render
from flasync.workers import WorkerPool, get_pool, give_up_pool

Outcome = tuple[object, ...]
RoundTrip = Callable[[str, str, str], "Sides"]


class Sides:
    """A function before and after a recipe.

    Args:
        recipe: What is tried on it.
        setup: The module around the function. What it calls `close` is called at the end.
        body: The body of the function.

    Attributes:
        old: The module as it was: `ask`, and `ask_async` with the same body.
        new: The module after the recipe.
        after: The text of the new module.
    """

    def __init__(self, recipe: Recipe, setup: str, body: str) -> None:
        body = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        before = f"{setup}\n\ndef ask():\n{body}\n\n\nasync def ask_async():\n{body}\n"
        file = ParsedFile("app.py", before)
        changes = list(_list_changes(recipe, file))
        assert len(changes) >= 2, "the recipe leaves the function alone"
        self.after = render(file, changes, load_recipes())
        self.old = _run_module(before)
        self.new = _run_module(self.after)

    def close(self) -> None:
        """End what the two modules have opened."""
        for module in (self.old, self.new):
            module.get("close", _do_nothing)()

    async def check_served(self, serving: Serving) -> Outcome:
        """Compare in requests: an async view, a sync view, and sync code below an async view."""
        expected = await asyncio.to_thread(_observe, self.old["ask"])
        found: dict[str, Outcome] = {}
        app = flask.Flask("example")

        @app.get("/async")
        async def view_async() -> str:
            found["async"] = await _observe_async(self.new["ask_async"])
            return ""

        @app.get("/sync")
        def view_sync() -> str:
            found["sync"] = _observe(self.new["ask"])
            return ""

        @app.get("/mixed")
        async def view_mixed() -> str:
            found["mixed"] = _observe(self.new["ask"])
            return ""

        async with serving(app) as asgi:
            for kind in ("async", "sync", "mixed"):
                assert (await Call(asgi, f"/{kind}").start().finish()).status == 200
        assert found == dict.fromkeys(found, expected)
        assert len(found) == 3
        return expected

    def check_outside(self) -> Outcome:
        """Compare under an app context without a request, as a command has it."""
        expected = _observe(self.old["ask"])
        pool = await_(_use_pool())
        with flask.Flask("example").app_context():
            found = _observe(self.new["ask"])
        await_(give_up_pool(pool, None))
        assert found == expected
        return expected


@pytest.fixture
def round_trip(background_loop: None) -> Iterator[RoundTrip]:
    """Make the two sides of a function: by a recipe's name, the module, the function's body."""
    made: list[Sides] = []

    def make(recipe: str, setup: str, body: str) -> Sides:
        made.append(Sides(load_recipes()[recipe], setup, body))
        return made[-1]

    yield make
    for sides in made:
        sides.close()


def _list_changes(recipe: Recipe, file: ParsedFile) -> Iterator[CallChange]:
    """Yield the changes of the calls that a recipe is for and does not leave alone."""
    for span, call in file.list_calls():
        function = file.find_enclosing(call)
        name = _find_name(recipe, file, call)
        if name is None or function is None:
            continue
        try:
            twin = recipe.build(Scene(file, call, name))
        except LeaveAlone:
            continue
        is_async = getattr(function, "asynchronous", None) is not None
        if twin.needs_loop and not is_async:
            yield CallChange(span, name, Way.OFFLOAD, "", Safety.SAFE, "")
        else:
            yield CallChange(span, name, Way.REWRITE, recipe.name, Safety.SAFE, "")


def _find_name(recipe: Recipe, file: ParsedFile, call: cst.Call) -> str | None:
    """The dotted name of a recipe's that a call has; of a method, the last part must do."""
    for name in file.name_qualified(call.func) & set(recipe.names):
        return name
    for name in recipe.names:
        *_, owner, last = name.split(".")
        if owner[0].isupper() and matchers.matches(
            call.func, matchers.Attribute(attr=matchers.Name(last))
        ):
            return name
    return None


def _run_module(text: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(text, "example.py", "exec"), module)
    return module


async def _use_pool() -> WorkerPool:
    """Return the threads of this loop, which no app will close."""
    pool = get_pool()
    pool.users += 1
    return pool


def _observe(function: Callable[[], object]) -> Outcome:
    try:
        return ("returned", function())
    except Exception as error:
        return _describe(error)


async def _observe_async(function: Callable[[], Any]) -> Outcome:
    try:
        return ("returned", await function())
    except Exception as error:
        return _describe(error)


def _describe(error: BaseException) -> Outcome:
    return ("raised", type(error).__name__, type(error).__module__, str(error))


def _do_nothing() -> None:
    """Close nothing."""
