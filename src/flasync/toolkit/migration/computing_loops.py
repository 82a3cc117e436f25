"""Loops that compute for long, as far as the source can tell: on the loop, all would wait for them.

A loop whose number of rounds is a variable (`range(rounds)`), inside of another loop, in the same
function or around its call, and without a wait: that is how simulations, matrices and images look.
Other loops are over what a page shows, and short.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import FunctionNode, Where, walk_functions
from flasync.toolkit.waiting import is_blocking

_LOOPS = (ast.For, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class ComputingLoop:
    """A loop that may compute for long.

    Attributes:
        place: Where it begins.
    """

    place: Place

    @property
    def reason(self) -> str:
        """Why it keeps a route off the loop."""
        return f"it computes in nested loops, at {self.place}: every request would wait for it"


def find_computing_loop(entries: Iterable[tuple[str, FunctionNode]]) -> ComputingLoop | None:
    """Return the first loop on the way of a route that may compute for long."""
    for _, entry in entries:
        repeated = _list_repeated(entry)
        for function, _ in walk_functions(entry):
            for loop, is_nested in _list_loops(function):
                if (is_nested or function in repeated) and _counts(loop):
                    assert function.source is not None  # noqa: S101  it has a tree
                    if not _waits_in(function, loop):
                        return ComputingLoop(function.source.locate(loop))
    return None


def _list_repeated(entry: FunctionNode) -> set[FunctionNode]:
    """Return the functions that are called in a loop."""
    found: set[FunctionNode] = set()
    for function, _ in walk_functions(entry):
        inside = {id(node) for loop, _ in _list_loops(function) for node in ast.walk(loop)}
        for site in function.sites:
            if id(site.node) in inside:
                found |= {target for target, where in site.targets if where is Where.HERE}
    return found


def _list_loops(function: FunctionNode) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the loops of a function, and whether each is inside of another one."""
    if function.tree is None or function.source is None:
        return
    waiting: list[tuple[ast.AST, bool]] = [(function.tree, False)]
    while waiting:
        node, is_nested = waiting.pop()
        for child in ast.iter_child_nodes(node):
            is_loop = isinstance(child, _LOOPS)
            if is_loop:
                yield child, is_nested or len(getattr(child, "generators", ())) > 1
            waiting.append((child, is_nested or is_loop))


def _counts(loop: ast.AST) -> bool:
    """Return whether a loop goes over `range(n)` with a number that is not written there."""
    if isinstance(loop, ast.For):
        iterables = [loop.iter]
    else:
        assert isinstance(loop, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)  # noqa: S101
        iterables = [generator.iter for generator in loop.generators]
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "range"
        and not all(isinstance(argument, ast.Constant) for argument in node.args)
        for node in iterables
    )


def _waits_in(function: FunctionNode, loop: ast.AST) -> bool:
    inside = {id(node) for node in ast.walk(loop)}
    return any(id(site.node) in inside and is_blocking(site) for site in function.sites)
