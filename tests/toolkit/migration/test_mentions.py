"""Where identifiers stand in a file, and what binds them."""

import ast
from pathlib import Path

import pytest

from flasync.toolkit.migration.mentions import MentionFile
from flasync.toolkit.sources import SourceFile


def read(text: str) -> MentionFile:
    """A file of this text."""
    return MentionFile(SourceFile(Path("shop.py"), "shop.py", text))


def bind(text: str) -> list[str]:
    """What binds `x` at each place that reads it: "module", or the name of a function or class."""
    file = read(text)
    nodes = [mention.node for mention in file.find_all("x") if isinstance(mention.node, ast.Name)]
    read_nodes = [node for node in nodes if isinstance(node.ctx, ast.Load)]
    binders = [file.find_binder(node, "x") for node in read_nodes]
    return [getattr(binder, "name", type(binder).__name__.lower()) for binder in binders]


@pytest.mark.parametrize(
    ("text", "binders"),
    [
        ("x = 1\nx\n", ["module"]),
        ("def f():\n    return x\n", ["module"]),
        ("def f(x):\n    return x\n", ["f"]),
        ("def f(*, a=1, **x):\n    return x\n", ["f"]),
        ("def f():\n    x = 1\n    return x\n", ["f"]),
        ("def f():\n    global x\n    x = 1\n    return x\n", ["module"]),
        ("def f():\n    import x\n    return x\n", ["f"]),
        ("def f():\n    import a.b as x\n    return x\n", ["f"]),
        ("def f():\n    for x in ():\n        x\n", ["f"]),
        ("def f():\n    with a as x:\n        x\n", ["f"]),
        ("def f():\n    try:\n        a\n    except E as x:\n        x\n", ["f"]),
        ("def f():\n    def x(): ...\n    return x\n", ["f"]),
        ("def f():\n    match a:\n        case {'a': x}:\n            x\n", ["f"]),
        ("def f():\n    if (x := 1):\n        return x\n", ["f"]),
        ("def f(x):\n    def g():\n        return x\n", ["f"]),
        ("def f(x):\n    def g():\n        nonlocal x\n        return x\n", ["f"]),
        ("def f(a=x):\n    x = 1\n", ["module"]),
        ("@x\ndef f(x): ...\n", ["module"]),
        ("f = lambda x: x\n", ["lambda"]),
        ("class C:\n    x = 1\n    y = x\n", ["C"]),
        ("class C:\n    x = 1\n    def f(self):\n        return x\n", ["module"]),
        ("def f():\n    return [x for x in a]\n", ["listcomp"]),
        ("def f():\n    [x for x in a]\n    return x\n", ["listcomp", "module"]),
    ],
)
def test_binders(text: str, binders: list[str]) -> None:
    """A name belongs to the nearest function, class or module that binds it."""
    assert bind(text) == binders


def test_mentions() -> None:
    """Names, attributes, imports, definitions and whole texts mention an identifier."""
    text = "from a import x\nx()\na.x\n'x'\ndef x(): ...\nclass C: ...\n'x y'\nxy\n"
    mentions = read(text).find_all("x")
    assert [mention.place.line for mention in mentions] == [1, 2, 3, 4, 5]
    assert [mention.call is not None for mention in mentions] == [False, True, False, False, False]


def test_methods() -> None:
    """A method has a class, a function within a method has none."""
    file = read(
        "class C:\n    if a:\n        def x(self):\n            def y(): ...\ndef z(): ...\n"
    )
    found = {
        name: file.find_class(mention.node) is not None
        for name in "xyz"
        for mention in file.find_all(name)
    }
    assert found == {"x": True, "y": False, "z": False}
