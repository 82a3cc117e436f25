"""Every recipe on its own cases, and what every recipe says of itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import CallChange, Safety
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, Scene
from flasync.toolkit.migration.recipes import find_recipe, load_recipes
from flasync.toolkit.migration.rewriting import render

RECIPES = load_recipes()
CASES = [
    pytest.param(recipe, case, id=f"{recipe.name}-{kind}-{case.title}")
    for recipe in RECIPES.values()
    for kind, cases in (("changed", recipe.changed), ("left", recipe.left))
    for case in cases
]
ROUND_TRIPS = Path(__file__).parent / "recipes"

every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def change(recipe: Recipe, text: str) -> str:
    """What a recipe makes of a file when it is tried on each call that it is for."""
    file = ParsedFile("case.py", text)
    return render(file, list(list_changes(recipe, file)), RECIPES)


def list_changes(recipe: Recipe, file: ParsedFile) -> Iterator[CallChange]:
    """The changes of the calls in a file that a recipe is for and does not leave alone."""
    for span, call in file.list_calls():
        name = name_call(recipe, file, call)
        if name is None:
            continue
        try:
            twin = recipe.build(Scene(file, call, name))
        except LeaveAlone as error:
            assert str(error), "it says why"
            continue
        function = file.find_awaiting(call)
        if twin.needs_loop and (function is None or function.asynchronous is None):
            continue  # the plan sends it to a thread
        yield CallChange(span, name, recipe.way, recipe.name, Safety.SAFE, "")


def name_call(recipe: Recipe, file: ParsedFile, call: cst.Call) -> str | None:
    """What a call calls, if a recipe is for that.

    The call graph knows the class of an object; here the name of a method must do.
    """
    for pattern in recipe.names:
        for name in file.name_qualified(call.func):
            if name == pattern or (
                pattern.endswith(".*")
                and re.fullmatch(r"[a-z]\w*", name[len(pattern) - 1 :])
                and name.startswith(pattern[:-1])
            ):
                return name
    match call.func:
        case cst.Attribute(value=value, attr=cst.Name(value=method)) if isinstance(
            value, cst.Call
        ) or not file.name_qualified(value):
            return next((name for name in recipe.names if is_method(name, method)), None)
    return None


def is_method(name: str, method: str) -> bool:
    """Whether a dotted name is that of a method of a class."""
    *_, owner, last = name.split(".")
    return last == method and owner[:1].isupper()


@pytest.mark.parametrize(("recipe", "case"), CASES)
def test_case(recipe: Recipe, case: Case) -> None:
    """A recipe makes of its case exactly what it shows, which is Python."""
    assert change(recipe, case.before) == case.after
    compile(case.before, "before.py", "exec")
    compile(case.after, "after.py", "exec")


@pytest.mark.parametrize(("recipe", "case"), CASES)
def test_second_run(recipe: Recipe, case: Case) -> None:
    """A file that a recipe has changed is left alone by it."""
    assert change(recipe, case.after) == case.after


@every_recipe
def test_cases_show_changes(recipe: Recipe) -> None:
    """A case of changed code differs before and after, a case of code that is left does not."""
    assert all(case.before != case.after for case in recipe.changed)
    assert all(case.before == case.after for case in recipe.left)


@every_recipe
def test_leaves_more_alone_than_it_changes(recipe: Recipe) -> None:
    """A recipe has at least as many cases to leave alone as to change, with their own titles."""
    assert recipe.changed
    assert len(recipe.left) >= len(recipe.changed)
    titles = [case.title for case in (*recipe.changed, *recipe.left)]
    assert len(set(titles)) == len(titles)


@every_recipe
def test_module_is_named_for_the_recipe(recipe: Recipe) -> None:
    """The recipe `a-b` is the only one in `recipes/a_b.py`, and is called for what it is about."""
    module = type(recipe).__module__.rpartition(".")[2]
    assert recipe.name == module.replace("_", "-")
    assert type(recipe).__name__.lower() == recipe.name.replace("-", "")


@every_recipe
def test_has_round_trip(recipe: Recipe) -> None:
    """What a recipe makes is run beside the original, in a test of its own."""
    path = ROUND_TRIPS / f"test_{recipe.name.replace('-', '_')}.py"
    assert "def test_" in path.read_text(encoding="utf-8")


@every_recipe
def test_page_is_complete(recipe: Recipe) -> None:
    """Every section of the page says something, in whole sentences."""
    page = recipe.page
    for section in (page.what, page.meaning, page.safety):
        assert section.strip() == section
        assert section.endswith(".")
    assert page.references
    assert all(title and re.match("https?://", address) for title, address in page.references)


@every_recipe
def test_is_found_by_its_names(recipe: Recipe) -> None:
    """A recipe is found by each name that it is for, which no other recipe claims."""
    assert recipe.names
    assert recipe.way in {Way.REWRITE, Way.BRIDGE}
    for name in recipe.names:
        assert find_recipe(name.replace("*", "method")) is recipe
        assert [one.name for one in RECIPES.values() if name in one.names] == [recipe.name]


def test_find_recipe() -> None:
    """What no recipe is for has none."""
    assert find_recipe("time.sleep") is RECIPES["time-sleep"]
    assert find_recipe("time.monotonic") is None
    assert find_recipe("sleep") is None
