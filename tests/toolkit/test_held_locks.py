"""The blocks of a function that hold what may be a lock."""

import ast

import pytest

from flasync.toolkit.held_locks import list_held


def read(text: str) -> list[tuple[str, int, int]]:
    """Each block: what is held, where it is taken, and where the block begins."""
    [function] = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    return [
        (ast.unparse(lock), statement.lineno, body[0].lineno)
        for statement, lock, body in list_held(function)
    ]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("def f():\n  with a, b as c:\n    x()\n", [("a", 2, 3), ("b", 2, 3)]),
        ("def f():\n  if x:\n    with self.lock:\n      y()\n", [("self.lock", 3, 4)]),
        (
            "def f():\n  a.acquire()\n  try:\n    x()\n  finally:\n    a.release()\n",
            [("a", 2, 4)],
        ),
        ("def f():\n  a.acquire()\n  x()\n", []),
        ("def f():\n  a.take()\n  try:\n    x()\n  finally:\n    a.release()\n", []),
        ("def f():\n  def g():\n    with a:\n      x()\n", []),
    ],
)
def test_blocks(text: str, held: list[tuple[str, int, int]]) -> None:
    """What `with` enters, and what is acquired in front of a `try`, but not in inner functions."""
    assert read(text) == held


def test_lambda() -> None:
    """A lambda has no statements, and holds nothing."""
    node = ast.parse("lambda: lock", mode="eval").body
    assert isinstance(node, ast.Lambda)
    assert list(list_held(node)) == []
