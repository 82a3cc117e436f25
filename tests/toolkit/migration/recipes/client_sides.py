"""The old and the new code of a recipe for clients, run side by side wherever an app may run it."""

import asyncio
from collections.abc import Callable
from typing import Any

import flask

from conftest import Call, Serving
from flasync import portal
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import CallChange, Safety
from flasync.toolkit.migration.recipe import Recipe, Scene
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import render

Outcome = tuple[object, ...]


class ClientSides:
    """A module that makes a client and has a function `ask`, before and after a recipe.

    Args:
        recipe: The recipe's name.
        text: The module.

    Attributes:
        after: The text of the new module.
        old: The module as it was.
        new: The module after the recipe.
    """

    def __init__(self, recipe: str, text: str) -> None:
        file = ParsedFile("app.py", text)
        changes = list(_list_changes(load_recipes()[recipe], file))
        assert changes, "the recipe is for nothing in the module"
        self.after = render(file, changes, load_recipes())
        self.old = _run_module(text)
        self.new = _run_module(self.after)

    async def check_served(self, serving: Serving) -> Outcome:
        """Compare in requests: below an async view, in a sync view, one by one and at once."""
        expected = await asyncio.to_thread(_observe, self.old["ask"])
        found: list[Outcome] = []
        app = flask.Flask("example")

        @app.get("/async")
        async def view_async() -> str:
            found.append(_observe(self.new["ask"]))
            return ""

        @app.get("/sync")
        def view_sync() -> str:
            found.append(_observe(self.new["ask"]))
            return ""

        async with serving(app) as asgi:
            for path in ("/async", "/sync", "/async"):
                assert (await Call(asgi, path).start().finish()).status == 200
        assert found == [expected] * 3, (found, expected)
        return expected

    def check_outside(self) -> Outcome:
        """Compare without a request, as in a command; the background loop ends."""
        expected = _observe(self.old["ask"])
        found = [_observe(self.new["ask"]) for _ in range(2)]
        portal.stop_background()  # as at the end of the process: clients are closed
        assert found == [expected] * 2, (found, expected)
        return expected


def _list_changes(recipe: Recipe, file: ParsedFile) -> list[CallChange]:
    """Return the changes of the calls that a recipe is for; it leaves none of them alone."""
    found = []
    for span, call in file.list_calls():
        for name in file.name_qualified(call.func) & set(recipe.names):
            recipe.build(Scene(file, call, name))
            found.append(CallChange(span, name, recipe.way, recipe.name, Safety.SAFE, ""))
    return found


def _run_module(text: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(text, "example.py", "exec"), module)
    return module


def _observe(function: Callable[[], object]) -> Outcome:
    try:
        return ("returned", function())
    except Exception as error:
        return ("raised", type(error).__name__, type(error).__module__, str(error))
