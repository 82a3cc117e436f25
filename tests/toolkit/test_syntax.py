"""Walking syntax trees by a table of the fields in which nodes are."""

import ast
from pathlib import Path

import pytest

import flasync.toolkit.interpreter.body
import flasync.toolkit.rules.shared_mutable_state
from flasync.toolkit.syntax import LEAVES, list_children, walk_nodes, walk_statements

# What `list_children` leaves out: it tells how a name is used, or which operator stands there.
_LEFT_OUT = (ast.boolop, ast.cmpop, ast.expr_context, ast.operator, ast.unaryop)
_EVERY_SYNTAX = '''
"""A text."""
from __future__ import annotations
import a.b as c, d
@decorated(1, *args, key=2, **kwargs)
async def f(x, /, y: int = 1, *z, k=lambda q: q, **w) -> None:
    global g
    async with a as b, c: pass
    async for i in j: await k
    else: return not (yield)
class C(Base, metaclass=M): attribute: int = -1
try: x += {1: 2, **y}[3:4:5, ...]
except (A, B) as error: raise E from error
else: del x, y.z
finally: assert x and y or z, "text"
while a < b <= c not in d: continue
for i in [*a, {b}, (c, d)]: break
match subject:
    case {"key": [1, *rest], **others} | C(1, name=None): pass
    case str() as text if text: pass
with (e := f"{x!r:>{width}}"): print([i for i in a if b], {i: j async for i in a}, (yield from x))
'''


@pytest.mark.parametrize(
    "text",
    [
        _EVERY_SYNTAX,
        Path(flasync.toolkit.interpreter.body.__file__).read_text(encoding="utf-8"),
        Path(flasync.toolkit.rules.shared_mutable_state.__file__).read_text(encoding="utf-8"),
    ],
    ids=["every syntax", "the scan's own", "a rule"],
)
def test_like_the_standard_library(text: str) -> None:
    """Of every kind of node, the children are those that `ast` gives, in the same order."""
    for node in ast.walk(ast.parse(text)):
        expected = [c for c in ast.iter_child_nodes(node) if not isinstance(c, _LEFT_OUT)]
        assert list_children(node) == expected
        assert not expected or type(node) not in LEAVES


def test_walk_nodes() -> None:
    """Each node is given once, the first one included."""
    tree = ast.parse(_EVERY_SYNTAX)
    expected = [node for node in ast.walk(tree) if not isinstance(node, _LEFT_OUT)]
    assert sorted(map(id, walk_nodes(tree))) == sorted(map(id, expected))


def test_walk_statements() -> None:
    """Statements are given wherever they are nested, with the handlers and cases around them."""
    tree = ast.parse(_EVERY_SYNTAX)
    kinds = (ast.stmt, ast.ExceptHandler, ast.match_case)
    expected = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    assert sorted(map(id, walk_statements(tree))) == sorted(map(id, expected))
