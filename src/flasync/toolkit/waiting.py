"""Which of the project's functions wait, so that other requests get their turn meanwhile."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from flasync.toolkit.graph import CallSite, FunctionNode, Usage, Where
from flasync.toolkit.knowledge import Blocking, Kind
from flasync.toolkit.statements import is_coroutine_function

# How the call graph may name the call by which sync code waits on the loop.
_BRIDGES = frozenset({"flasync.await_", "flasync.bridge.await_"})

# What another request can come in between. The rest is over quickly, or keeps the interpreter.
_KINDS = frozenset({Kind.SLEEP, Kind.NETWORK, Kind.DATABASE, Kind.SUBPROCESS, Kind.DNS})


def is_bridge(site: CallSite) -> bool:
    """Return whether a call is `flasync.await_`, which switches to other requests."""
    return not _BRIDGES.isdisjoint(site.names)


def is_blocking(site: CallSite) -> bool:
    """Return whether a call holds its thread for long enough for others to run in between."""
    if site.blocking is None or site.usage is Usage.AWAITED:
        return False
    known = site.blocking.known
    return not isinstance(known, Blocking) or known.kind in _KINDS


def find_leading_to(
    functions: Iterable[FunctionNode], is_goal: Callable[[CallSite], bool]
) -> set[FunctionNode]:
    """Return the functions in which a call is a goal, or runs such a function before it returns."""
    callers: dict[FunctionNode, list[FunctionNode]] = {}
    goals: list[FunctionNode] = []
    for function in functions:
        if any(map(is_goal, function.sites)):
            goals.append(function)
        for site in function.sites:
            for target in list_run(site) if site.targets else ():
                callers.setdefault(target, []).append(function)
    found = set(goals)
    while goals:
        for caller in callers.get(goals.pop(), ()):
            if caller not in found:
                found.add(caller)
                goals.append(caller)
    return found


def list_run(site: CallSite) -> Iterator[FunctionNode]:
    """Yield the functions that a call runs before it returns.

    Calling a coroutine function runs it only where the call is awaited.
    """
    for target, where in site.targets:
        if where is Where.HERE and (
            site.usage is Usage.AWAITED or not is_coroutine_function(target.tree)
        ):
            yield target


class Waits:
    """The places where functions wait, by themselves or in what they call.

    Args:
        functions: The functions of the program, for what they call.
    """

    def __init__(self, functions: Iterable[FunctionNode]) -> None:
        self._waiting = find_leading_to(functions, _waits_itself)

    def find(self, function: FunctionNode) -> set[int]:
        """Return the ids of the nodes at which a function waits."""
        return {id(site.node) for site in function.sites if self._waits(site)}

    def _waits(self, site: CallSite) -> bool:
        if _waits_itself(site):
            return True
        return bool(site.targets) and not self._waiting.isdisjoint(list_run(site))


def _waits_itself(site: CallSite) -> bool:
    if is_bridge(site) or is_blocking(site):
        return True
    # What is awaited and not the project's own is taken to wait; the own is looked into.
    return site.usage is Usage.AWAITED and not site.targets


def is_plain_await(node: ast.AST) -> bool:
    """Return whether a node waits by its syntax, without a call that would say more."""
    if isinstance(node, ast.Await):
        return not isinstance(node.value, ast.Call)
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    return isinstance(node, ast.AsyncFor | ast.AsyncWith)
