"""The knowledge files as texts: they parse, name their sources and give advice in one line."""

import re
from pathlib import Path

import pytest

import flasync.toolkit.knowledge as package
from flasync.toolkit.knowledge import Blocking, Library, Way, load_knowledge, parse_library

FOLDER = Path(package.__file__).parent
FILES = sorted(FOLDER.glob("*.toml"))
LIBRARIES = [parse_library(path.read_text(encoding="utf-8"), path) for path in FILES]
BLOCKING = [
    pytest.param(blocking, id=f"{library.path.stem}-{blocking.names[0]}")
    for library in LIBRARIES
    for blocking in library.blocking
]
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\.\*)?")
UNLESS = re.compile(r"(\d+|[A-Za-z_]\w*|(config|self)(\.\w+)+)=(?P<value>.+)")
MOST_RECIPE = 120  # characters that fit into one line of a report


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.path.stem)
def test_head(library: Library) -> None:
    """A file says which library it is about, in its name too, and which page settles it."""
    stem, name = library.path.stem, library.name
    assert stem == name.replace(".", "_") or stem.startswith(f"{name.partition('.')[0]}_")
    assert library.source.startswith("https://")
    assert library.title.strip()


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.path.stem)
def test_it_says_something(library: Library) -> None:
    """A file without a single table says nothing, and is not there."""
    assert any(
        (
            library.blocking,
            library.returns,
            library.runs,
            library.objects,
            library.decorators,
            library.delegates,
            library.templates,
            library.attributes,
        )
    )


@pytest.mark.parametrize("blocking", BLOCKING)
def test_recipe(blocking: Blocking) -> None:
    """A recipe is one short line without a full stop, and its code has as many ( as )."""
    recipe = blocking.recipe
    assert recipe.strip() == recipe
    assert "\n" not in recipe
    assert 0 < len(recipe) <= MOST_RECIPE
    assert not recipe.endswith(".")
    assert recipe.count("(") == recipe.count(")")
    assert "\n" not in blocking.notes


@pytest.mark.parametrize("blocking", BLOCKING)
def test_way(blocking: Blocking) -> None:
    """What is awaited or swapped in instead is named, as the twin or in the recipe."""
    if blocking.way in {Way.REWRITE, Way.BRIDGE}:
        assert blocking.twin or "async" in blocking.recipe


@pytest.mark.parametrize("blocking", BLOCKING)
def test_names_are_dotted(blocking: Blocking) -> None:
    """Names are dotted identifiers, `except` belongs to a `*`, and `unless` is `what=literal`."""
    assert all(DOTTED.fullmatch(name) and "." in name for name in blocking.names)
    assert len(set(blocking.names)) == len(blocking.names)
    if blocking.excepted:
        assert any(name.endswith(".*") for name in blocking.names)
    for condition in blocking.unless:
        assert UNLESS.fullmatch(condition), condition


def test_no_name_is_said_twice() -> None:
    """No two blocking tables, and no two tables of what is returned, name the same callable."""
    for section in ("blocking", "returns", "objects"):
        seen: dict[str, str] = {}
        for library in LIBRARIES:
            for table in getattr(library, section):
                for name in table.names:
                    assert name not in seen, f"{name}: {seen[name]}, {library.path.name}"
                    seen[name] = library.path.name


def test_decorators_use_known_names() -> None:
    """What a decorator's wrapper uses is known itself."""
    knowledge = load_knowledge()
    used = {name for library in LIBRARIES for table in library.decorators for name in table.uses}
    assert used
    assert {name for name in used if knowledge.find(name) is None} == set()


def test_all_are_loaded() -> None:
    """Loading the knowledge reads every file of the folder."""
    assert {library.path for library in load_knowledge().libraries} >= set(FILES)
