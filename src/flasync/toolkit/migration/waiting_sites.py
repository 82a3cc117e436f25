"""Where the requests for a route wait: each blocking place on its way, with the call as written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.graph import CallSite, FunctionNode, Usage, walk_calls
from flasync.toolkit.knowledge import AttributeRead, Blocking, Kind, Way
from flasync.toolkit.migration.plan import Span
from flasync.toolkit.migration.recipes import find_recipe
from flasync.toolkit.rules import Program
from flasync.toolkit.sources import SourceFile

# What a statement or an operator calls; the call that is seen there gives what it is called on.
_IMPLICIT = (".__contains__", ".__getitem__", ".__iter__", ".__next__")
# What a wait is worth a change for. A file of the own disk or a computation is none by itself.
_GAINS = frozenset(Kind) - {Kind.CPU, Kind.DISK, Kind.CONSOLE}
# What waits through the bridge: `await_` itself, and the faces of async clients.
_AWAIT = "flasync.bridge.await_"
_FACES = "flasync.bridged._"


@dataclass(frozen=True, slots=True)
class WaitingSite:
    """One place at which a request waits.

    Attributes:
        site: The call, or other operation, in the graph.
        function: The function that it stands in, as called with certain arguments.
        entry: What of the route leads to it: "view", "before_request"…
        name: The dotted name of what waits, as the knowledge has it.
        kind: What it waits for.
        node: The call that a change would replace; None for iteration, `with`, the reading of an
            attribute.
        gains: Whether a route is better off when it need not hold a thread here.
        is_freed: Whether it waits through the bridge already: it holds a thread where its request
            has one, and never the loop.
    """

    site: CallSite
    function: FunctionNode
    entry: str
    name: str
    kind: Kind
    node: ast.Call | None
    gains: bool
    is_freed: bool = False

    @property
    def span(self) -> Span | None:
        """Where the call is that a change would replace."""
        source = self.function.source
        return locate_span(source, self.node) if source is not None and self.node else None


def list_waiting_sites(entries: list[tuple[str, FunctionNode]]) -> Iterator[WaitingSite]:
    """Yield the places at which what runs for a route waits, each once, the nearest first."""
    seen: set[tuple[int, str]] = set()
    for kind, entry in entries:
        for reached in walk_calls(entry):
            site = reached.site
            key = (id(site.node), str(site.place))
            if key in seen:
                continue
            waiting = (
                _read_blocking(site, reached.function, kind)
                or _read_loop(site, reached.function, kind)
                or _read_bridge(site, reached.function, kind)
            )
            if waiting is not None:
                seen.add(key)
                yield waiting


def _read_blocking(site: CallSite, function: FunctionNode, entry: str) -> WaitingSite | None:
    """Return a call that holds its thread, by the knowledge."""
    if site.blocking is None or site.usage is Usage.AWAITED:
        return None
    known, name = site.blocking.known, site.blocking.name
    is_left = isinstance(known, Blocking) and known.way is Way.LEAVE
    # What a lock does to the loop, `loop_hazards` knows: it depends on what is done meanwhile.
    if known.kind is None or (is_left and known.kind is Kind.LOCK):
        return None
    if isinstance(known, AttributeRead):
        name = known.descriptor  # that of a model's attribute is its library's
    node = site.node if isinstance(site.node, ast.Call) and not _is_later(name, known) else None
    gains = known.kind in _GAINS and not is_left
    return WaitingSite(site, function, entry, name, known.kind, node, gains)


def _is_later(name: str, known: Blocking | AttributeRead) -> bool:
    """Return whether not the call itself waits, but what is done with its value."""
    is_lazy = isinstance(known, Blocking) and known.is_lazy
    return is_lazy or name.endswith(_IMPLICIT)


def _read_loop(site: CallSite, function: FunctionNode, entry: str) -> WaitingSite | None:
    """Return a call that holds its thread until a coroutine has run, on a loop of its own."""
    if site.usage is Usage.AWAITED or not isinstance(site.node, ast.Call):
        return None
    for name in site.names:
        recipe = find_recipe(name)
        # Of what a call hands on to a thread, the name is there as well.
        if recipe is not None and recipe.of_loop:
            node = _find_call_of(site.node, function) if recipe.of_result else site.node
            return WaitingSite(site, function, entry, name, Kind.NETWORK, node, gains=True)
    return None


def _read_bridge(site: CallSite, function: FunctionNode, entry: str) -> WaitingSite | None:
    """Return a call that waits on the loop for sync code."""
    for name in site.names:
        if name == _AWAIT or name.startswith(_FACES):
            return WaitingSite(
                site, function, entry, name, Kind.NETWORK, None, gains=True, is_freed=True
            )
    return None


def _find_call_of(made: ast.Call, function: FunctionNode) -> ast.Call | None:
    """Return the call of what a call gives: `f(x)(y)` for `f(x)`."""
    nodes = ast.walk(function.tree) if function.tree is not None else ()
    calls = (node for node in nodes if isinstance(node, ast.Call) and node.func is made)
    return next(calls, None)


def locate_span(source: SourceFile, node: ast.stmt | ast.expr) -> Span:
    """Return the span of a node; that of a function begins with its `def`."""
    start = source.locate(node)
    line, offset = node.end_lineno or node.lineno, node.end_col_offset or 0
    text = source.lines[line - 1] if line <= len(source.lines) else ""
    column = offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))
    return Span(source.name, (start.line, start.column), (line, column + 1))


def locate_function(function: FunctionNode) -> Span | None:
    """Return the span of a function of the project; None for a template or a lambda."""
    if function.source is None or not isinstance(
        function.tree, ast.FunctionDef | ast.AsyncFunctionDef
    ):
        return None
    return locate_span(function.source, function.tree)


def locate_call(function: FunctionNode, site: CallSite) -> Span | None:
    """Return the span of a call in a function; None for any other operation, or in a template."""
    if function.source is None or not isinstance(site.node, ast.Call):
        return None
    return locate_span(function.source, site.node)


def list_functions(program: Program) -> Iterator[FunctionNode]:
    """Yield every function of the graph, those of commands and jobs included."""
    seen: set[int] = set()
    for function in (*program.functions, *program.outside):
        if id(function) not in seen:
            seen.add(id(function))
            yield function
