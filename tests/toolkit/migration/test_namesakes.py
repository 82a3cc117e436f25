"""Which mentions are of a function, and which of another thing of its name."""

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.toolkit.migration.mentions import MentionFile
from flasync.toolkit.migration.namesakes import LiveNames, Target
from flasync.toolkit.sources import SourceFile

HOME = """\
import functools


def load(title):
    return title


def twice(function):
    return functools.wraps(function)(lambda *args: function(*args) * 2)


class Books:
    def load(self):
        return 1


class Shelf:
    books = Books()
"""

Ask = Callable[..., list[int]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Return the lines of a module that may mention `load` of another one."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def look(text: str, *, method: bool = False, imported: bool = True) -> list[int]:
        files = {}
        for name, content in (("namesakes_home", HOME), ("namesakes_user", text)):
            path = tmp_path / f"{name}.py"
            path.write_text(content)
            files[name] = MentionFile(SourceFile(path, path.name, content))
        importlib.invalidate_caches()
        if imported:
            importlib.import_module("namesakes_user")
        home, user = files["namesakes_home"], files["namesakes_user"]
        trees = [
            mention.node
            for mention in home.find_all("load")
            if isinstance(mention.node, ast.FunctionDef)
        ]
        target = Target(trees[method], home, LiveNames())
        return [it.place.line for it in user.find_all("load") if target.may_be(it)]

    yield look
    for name in ("namesakes_home", "namesakes_user"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("from namesakes_home import load\nload(1)\n", [1, 2]),
        ("import namesakes_home\nnamesakes_home.load(1)\n", [2]),
        ("import namesakes_home as home\ncall = [home.load]\n", [2]),
        ("from namesakes_home import *\nload(1)\n", [2]),
        ("import namesakes_home as home\nload = home.twice(home.load)\n", [2, 2]),
        ("from json import load\nload\n", [1]),
        ("import json\njson.load\n", []),
        ("def load(): ...\nload()\n", []),
        ("load = 1\nprint(load)\n", []),
        ("from namesakes_home import Books\nBooks().load()\nBooks.load\n", []),
        ("from namesakes_home import Shelf\nShelf.books.load()\n", []),
        ("def f(thing):\n    return thing.load()\n", []),
        ("def f(thing, load):\n    return load()\n", []),
        ("import importlib\ndef f(thing):\n    return thing.import_module.load()\n", [3]),
        ("x = {'load': 1}['load']\n", []),
        ("x = ['load']\n", [1]),
    ],
)
def test_function(text: str, lines: list[int], ask: Ask) -> None:
    """The live modules tell which names and attributes are a function's own."""
    assert ask(text) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("from namesakes_home import Books\nBooks().load()\nBooks.load\n", [2, 3]),
        ("from namesakes_home import Shelf\nShelf.books.load()\n", [2]),
        ("def f(thing):\n    return thing.load()\n", [2]),
        ("import json\njson.load\n", []),
        ("import namesakes_home\nnamesakes_home.load(1)\n", []),
        ("from namesakes_home import load\nload(1)\n", []),
    ],
)
def test_method(text: str, lines: list[int], ask: Ask) -> None:
    """A method may be that of any object that nobody knows, and is no plain name."""
    assert ask(text, method=True) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("from namesakes_home import load\nload(1)\n", [1, 2]),
        ("from elsewhere import load\nload(1)\n", [1, 2]),
        ("import namesakes_home\nnamesakes_home.load(1)\n", [2]),
        ("def load(): ...\nload()\n", []),
    ],
)
def test_not_imported(text: str, lines: list[int], ask: Ask) -> None:
    """Without the module, what it imports by that name may be the function."""
    assert ask(text, imported=False) == lines
