"""The blocks of a function during which it may hold a lock."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from flasync.toolkit.sources import FunctionTree
from flasync.toolkit.statements import list_blocks, walk_statements


def list_held(tree: FunctionTree) -> Iterator[tuple[ast.stmt, ast.expr, list[ast.stmt]]]:
    """Yield each block that may hold a lock: where it is taken, the lock, and the block.

    Any context manager is yielded; whether it is a lock is for the caller to tell.
    """
    if isinstance(tree, ast.Lambda):
        return
    for statement in walk_statements(tree.body):
        if isinstance(statement, ast.With):
            for item in statement.items:
                yield statement, item.context_expr, statement.body
    for block in list_blocks(tree):
        for statement, following in itertools.pairwise(block):
            lock = _find_acquired(statement)
            if lock is not None and isinstance(following, ast.Try):
                yield statement, lock, following.body


def _find_acquired(statement: ast.stmt) -> ast.expr | None:
    """Return the lock of a statement `lock.acquire()`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="acquire", value=lock))):
            return lock
    return None
