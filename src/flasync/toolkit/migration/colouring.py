"""Which functions become `async def`: as many as can be awaited by everybody, and no more.

A function that holds a call which is to be awaited is a candidate, and so is everything on the way
to it from a view. Who cannot be awaited by all its callers falls out; then its callers are asked
again, since they lose a reason and nobody a chance, until nothing changes. What stays a plain
function waits through `flasync.await_`, which works from everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable

from flasync.toolkit.graph import FunctionNode, Where
from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.plan import CallChange, Colour, FunctionChange, Safety, Span
from flasync.toolkit.migration.waiting_sites import locate_call, locate_function, locate_span
from flasync.toolkit.sources import SourceFile

Awaiting = Callable[[SourceFile, "ast.FunctionDef | ast.AsyncFunctionDef"], bool]


class Colouring:
    """The functions that become async, for one set of views that do.

    Args:
        functions: Every function of the graph.
        views: The spans of the views that become async.
        find_obstacle: Why a function cannot become async, given which functions are or become so;
            None when it can.
        barred: Functions that must stay as they are, whatever their callers could.
    """

    def __init__(
        self,
        functions: Iterable[FunctionNode],
        views: Collection[Span],
        find_obstacle: Callable[[FunctionNode, Awaiting], object | None],
        barred: Collection[Span] = (),
    ) -> None:
        self._functions = list(functions)
        self._views = frozenset(views)
        self._find_obstacle = find_obstacle
        self._barred = barred
        self._nodes: dict[Span, list[FunctionNode]] = {}
        for function in self._functions:
            span = locate_function(function)
            if span is not None:
                self._nodes.setdefault(span, []).append(function)

    def colour(self, changed: Collection[Span]) -> frozenset[Span]:
        """Return the helpers that become async, given the calls that are to be awaited."""
        holders = {
            span
            for span, nodes in self._nodes.items()
            if any(locate_call(node, site) in changed for node in nodes for site in node.sites)
        }
        wanted = self._list_above(holders)
        possible = self._drop_obstructed(wanted - self._views)
        return self._keep_needed(possible, holders)

    def list_awaited_calls(self, coloured: Collection[Span]) -> list[CallChange]:
        """Return the calls of functions that become async, each to be awaited."""
        changes: dict[Span, CallChange] = {}
        for function in self._functions:
            for site in function.sites:
                target = next(
                    (node for node, _ in site.targets if locate_function(node) in coloured), None
                )
                span = locate_call(function, site)
                if target is not None and span is not None:
                    reason = "it becomes async, since all who call it can await it"
                    changes[span] = CallChange(
                        span, target.name, Way.REWRITE, "", Safety.SAFE, reason
                    )
        return sorted(changes.values(), key=lambda change: change.span)

    def list_function_changes(self, coloured: Collection[Span]) -> list[FunctionChange]:
        """Return the changes of the functions that become async."""
        return [
            FunctionChange(
                span,
                self._nodes[span][0].name,
                Colour.ASYNC,
                "it awaits, and all who call it can await it",
            )
            for span in sorted(coloured)
        ]

    def _list_above(self, holders: Collection[Span]) -> set[Span]:
        """Return the functions from which one of these is run, themselves included."""
        callers: dict[Span, set[Span]] = {}
        for span, nodes in self._nodes.items():
            for node in nodes:
                for site in node.sites:
                    for target, where in site.targets:
                        below = locate_function(target)
                        if where is Where.HERE and below is not None:
                            callers.setdefault(below, set()).add(span)
        found, waiting = set(holders), list(holders)
        while waiting:
            for caller in callers.get(waiting.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    waiting.append(caller)
        return found

    def _drop_obstructed(self, candidates: set[Span]) -> set[Span]:
        """Return the largest set of candidates that can all become async together."""
        possible = {
            span
            for span in candidates
            if span not in self._barred and not self._nodes[span][0].is_async
        }
        while True:
            allowed = frozenset(possible | self._views)

            def awaiting(
                source: SourceFile,
                tree: ast.FunctionDef | ast.AsyncFunctionDef,
                allowed: frozenset[Span] = allowed,
            ) -> bool:
                return isinstance(tree, ast.AsyncFunctionDef) or (
                    locate_span(source, tree) in allowed
                )

            obstructed = {
                span
                for span in possible
                if self._find_obstacle(self._nodes[span][0], awaiting) is not None
            }
            if not obstructed:
                return possible
            possible -= obstructed

    def _keep_needed(self, possible: set[Span], holders: Collection[Span]) -> frozenset[Span]:
        """Return those that await something: a changed call, or a function that becomes async."""
        needed = {span for span in possible if span in holders}
        while True:
            more = {
                span
                for span in possible - needed
                if any(
                    locate_function(target) in needed
                    for node in self._nodes[span]
                    for site in node.sites
                    for target, _ in site.targets
                )
            }
            if not more:
                return frozenset(needed)
            needed |= more
