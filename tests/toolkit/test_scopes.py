"""What names stand for, in functions whose module is imported."""

import ast
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.scopes import MISSING, Scope, Scopes, find_named
from flasync.toolkit.sources import SourceFile

MODULE = """
import threading
from werkzeug.local import LocalProxy

lock = threading.Lock()
STOCK = {}


def fail():
    raise AssertionError("a scan runs nothing")


proxy = LocalProxy(fail)


class Shop:
    guard = threading.RLock()

    def __init__(self):
        self.basket = []
        self._condition = threading.Condition()

    @property
    def price(self):
        fail()

    def sell(self, lock):
        STOCK = [lock for lock in ()]
        return STOCK


shop = Shop()


def build():
    seen = set()
    either = {} if STOCK else []

    def view(title):
        mine = threading.Lock()
        return seen, mine, either, [STOCK for title in ()]

    return view
"""


@pytest.fixture
def get_scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Scope]]:
    """Return the scope of the module's function of a name."""
    path = tmp_path / "scoped_shop.py"
    path.write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("scoped_shop")
    source = SourceFile(path, path.name, MODULE)

    def get(name: str) -> Scope:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                function = FunctionNode(name, source, node, Place("", 1), namespace=vars(module))
                scope = Scopes().get(function)
                assert scope is not None
                return scope
        raise LookupError(name)

    yield get
    del sys.modules["scoped_shop"]


def parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("function", "text", "cls"),
    [
        ("fail", "lock", type(threading.Lock())),
        ("fail", "STOCK", dict),
        ("fail", "shop.basket", list),
        ("fail", "Shop.guard", type(threading.RLock())),
        ("fail", "shop.guard", type(threading.RLock())),
        ("sell", "self._condition", threading.Condition),
        ("sell", "self.guard", type(threading.RLock())),
        ("sell", "STOCK", list),  # its own, not the module's
        ("view", "mine", type(threading.Lock())),
        ("view", "seen", set),
        ("view", "STOCK", dict),
        ("fail", "threading.Semaphore(3)", threading.Semaphore),
        # Not known, or not to be known without running something.
        ("sell", "lock", None),
        ("view", "title", None),
        ("view", "either", None),
        ("fail", "shop.price", None),
        ("fail", "shop.sell", None),
        ("fail", "proxy.anything", None),
        ("fail", "unknown.name", None),
        ("fail", "STOCK[0]", None),
    ],
)
def test_class(get_scope: Callable[[str], Scope], function: str, text: str, cls: Any) -> None:
    """An expression has the class of the live object, or of what makes it, or none."""
    assert get_scope(function).find_class(parse(text)) is cls


def test_owner(get_scope: Callable[[str], Scope]) -> None:
    """A name of a function around has that function as its owner; others have none."""
    scope = get_scope("view")
    owner = scope.find_owner("seen")
    assert isinstance(owner, ast.FunctionDef)
    assert owner.name == "build"
    assert [scope.find_owner(name) for name in ("mine", "STOCK", "title")] == [None] * 3
    assert [scope.is_global(name) for name in ("STOCK", "seen", "mine")] == [True, False, False]


def test_named() -> None:
    """A dotted name gives the object in the imported modules, undisturbed, or nothing."""
    assert find_named("threading.Thread.start") is threading.Thread.start
    assert find_named("threading.Thread.none") is MISSING
    assert find_named("no_such_module.name") is MISSING
