"""What the syntax tree of a function shows by itself."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flasync.toolkit.sources import FunctionTree
from flasync.toolkit.syntax import LEAVES, list_children, walk_nodes

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# What has names of its own.
_SCOPES = frozenset(
    {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *_COMPREHENSIONS}
)
# What looks something up by a text that it is given.
_NAME_TAKERS = frozenset({"getattr", "import_module", "render_template", "stream_template"})


@dataclass(slots=True)
class Facts:
    """What one walk through a function's tree shows.

    Attributes:
        local_names: The names that it assigns itself, parameters included.
        is_generator: Whether it has a `yield` of its own.
        keeps_texts: Whether it makes names of templates, modules or attributes out of texts.
        assigned: The attributes that it gives its first parameter.
    """

    local_names: frozenset[str] = frozenset()
    is_generator: bool = False
    keeps_texts: bool = False
    assigned: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Reading:
    """Facts under way."""

    own: str
    names: set[str] = field(default_factory=set)
    outer: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    is_generator: bool = False
    keeps_texts: bool = False


@cache
def read_facts(tree: FunctionTree) -> Facts:
    """Return the facts of a function; each is walked once."""
    parameters = [*tree.args.posonlyargs, *tree.args.args]
    reading = _Reading(parameters[0].arg if parameters else "")
    own = list_children(tree)
    inner: list[ast.AST] = []
    while own:
        node = own.pop()
        kind = node.__class__
        read = _READERS.get(kind)
        if read is not None:
            read(node, reading)
        if kind in _SCOPES:
            inner += list_children(node)
        elif kind not in LEAVES:
            own += list_children(node)
    while inner:
        node = inner.pop()
        kind = node.__class__
        read = _READERS_ANYWHERE.get(kind)
        if read is not None:
            read(node, reading)
        if kind not in LEAVES:
            inner += list_children(node)
    return Facts(
        frozenset(reading.names - reading.outer),
        reading.is_generator,
        reading.keeps_texts,
        frozenset(reading.assigned),
    )


def _read_call(node: ast.Call, reading: _Reading) -> None:
    name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
    reading.keeps_texts = reading.keeps_texts or name in _NAME_TAKERS


def _read_attribute(node: ast.Attribute, reading: _Reading) -> None:
    if isinstance(node.ctx, ast.Store):
        if isinstance(node.value, ast.Name) and node.value.id == reading.own:
            reading.assigned.add(node.attr)


def _read_name(node: ast.Name, reading: _Reading) -> None:
    if node.ctx.__class__ is not ast.Load:
        reading.names.add(node.id)


def _read_parameter(node: ast.arg, reading: _Reading) -> None:
    reading.names.add(node.arg)


def _read_yield(node: ast.Yield | ast.YieldFrom, reading: _Reading) -> None:
    reading.is_generator = True


def _read_named(
    node: ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.ClassDef
    | ast.ExceptHandler
    | ast.MatchAs
    | ast.MatchStar,
    reading: _Reading,
) -> None:
    if node.name is not None:
        reading.names.add(node.name)


def _read_import(node: ast.Import | ast.ImportFrom, reading: _Reading) -> None:
    reading.names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _read_outer(node: ast.Global | ast.Nonlocal, reading: _Reading) -> None:
    reading.outer.update(node.names)


def _read_comprehension(node: ast.expr, reading: _Reading) -> None:
    """Note the only names that reach out of a comprehension."""
    for inner in walk_nodes(node):
        if isinstance(inner, ast.NamedExpr):
            reading.names.add(inner.target.id)


# What counts in inner functions as well.
_READERS_ANYWHERE: dict[type[ast.AST], Callable[[Any, _Reading], None]] = {
    ast.Attribute: _read_attribute,
    ast.Call: _read_call,
}
# What counts in the function itself.
_READERS: dict[type[ast.AST], Callable[[Any, _Reading], None]] = {
    **_READERS_ANYWHERE,
    **dict.fromkeys((ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef), _read_named),
    **dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar), _read_named),
    **dict.fromkeys((ast.Import, ast.ImportFrom), _read_import),
    **dict.fromkeys((ast.Global, ast.Nonlocal), _read_outer),
    **dict.fromkeys((ast.Yield, ast.YieldFrom), _read_yield),
    **dict.fromkeys(_COMPREHENSIONS, _read_comprehension),
    ast.Name: _read_name,
    ast.arg: _read_parameter,
}


@cache
def list_decorator_names(tree: FunctionTree) -> frozenset[str]:
    """Return the last names of a function's decorators."""
    if isinstance(tree, ast.Lambda):
        return frozenset()
    return frozenset(
        node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
        for node in tree.decorator_list
    )


@cache
def leaves_to_subclasses(tree: FunctionTree) -> bool:
    """Return whether a method has no body of its own, or only says that it is abstract."""
    if isinstance(tree, ast.Lambda):
        return False
    if "abstractmethod" in list_decorator_names(tree):
        return True
    for statement in tree.body:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case ast.Raise(exc=ast.Name(id="NotImplementedError")):
                continue
            case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
                continue
            case _:
                return False
    return True
