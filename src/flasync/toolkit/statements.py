"""Questions about the syntax of one function: its own nodes, and what becomes of a value."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from flasync.toolkit import syntax
from flasync.toolkit.graph import CallSite, Usage
from flasync.toolkit.sources import FunctionTree

_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def walk_own(tree: FunctionTree) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body in source order, but none of a function within it.

    A nested function, lambda or class is yielded itself, and not entered.
    """
    yield from walk_nodes([tree.body] if isinstance(tree, ast.Lambda) else tree.body)


def walk_nodes(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes and what is in them, as `walk_own` does for those of a function."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _NESTED):
            stack.extend(reversed(syntax.list_children(node)))


def walk_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block in source order, nested blocks included.

    Functions and classes are yielded themselves, and not entered. Expressions are not looked at,
    which makes this the quick first look at a large project.
    """
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if not isinstance(statement, _NESTED):
            blocks = list(_list_own_blocks(statement))
            stack.extend(inner for block in reversed(blocks) for inner in reversed(block))


def list_blocks(tree: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[list[ast.stmt]]:
    """Yield each block of statements of a function, the nested ones included."""
    yield tree.body
    for statement in walk_statements(tree.body):
        if not isinstance(statement, _NESTED):
            yield from _list_own_blocks(statement)


def _list_own_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    yield getattr(statement, "body", [])
    yield from (handler.body for handler in getattr(statement, "handlers", ()))
    yield from (case.body for case in getattr(statement, "cases", ()))
    yield getattr(statement, "orelse", [])
    yield getattr(statement, "finalbody", [])


def is_coroutine_function(tree: FunctionTree | None) -> bool:
    """Return whether calling a function gives a coroutine, which runs only when it is awaited."""
    return isinstance(tree, ast.AsyncFunctionDef) and not any(
        isinstance(node, ast.Yield) for node in walk_own(tree)
    )


def is_dropped(site: CallSite, tree: FunctionTree) -> bool:
    """Return whether nothing can ever use the value of a call.

    Either the call is a statement of its own, or it is assigned to a local name that nobody reads.
    """
    if site.usage is Usage.USED:
        name = _find_only_name(site.node, tree)
        return name is not None and not _is_read(name, tree)
    return site.usage is Usage.DISCARDED


def _find_only_name(value: ast.AST, tree: FunctionTree) -> str | None:
    """Return the one name that a value is assigned to as it is, if that is all that happens."""
    if isinstance(tree, ast.Lambda):
        return None
    for statement in walk_statements(tree.body):
        if isinstance(statement, ast.Assign) and statement.value is value:
            [target, *others] = statement.targets
            return target.id if isinstance(target, ast.Name) and not others else None
        if isinstance(statement, ast.AnnAssign) and statement.value is value:
            return statement.target.id if isinstance(statement.target, ast.Name) else None
    return None


def _is_read(name: str, tree: FunctionTree) -> bool:
    for node in syntax.walk_nodes(tree):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Global | ast.Nonlocal) and name in node.names:
            return True  # others may read it
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in {"locals", "vars", "exec", "eval"}:
                return True
    return False
