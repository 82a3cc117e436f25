"""How each place at which a request waits is freed: awaited, behind another client, or in a thread.

The order of preference is that of what is gained. A client or a URL that becomes async frees every
call through it and leaves the code as it is. A recipe replaces the one call. What is left goes to
the request's own worker thread: the call itself, or, where lines belong together (a `with` block, a
connection and its cursors), the function that they are in.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from flasync.toolkit import graph
from flasync.toolkit.graph import CallSite, FunctionNode, Where
from flasync.toolkit.knowledge import Kind, Way
from flasync.toolkit.migration.beside_loop import list_beside_loop
from flasync.toolkit.migration.common_stages import CommonStages
from flasync.toolkit.migration.plan import CallChange, Safety, Span
from flasync.toolkit.migration.rewrites import Refusal
from flasync.toolkit.migration.waiting_sites import (
    WaitingSite,
    list_functions,
    locate_function,
    locate_span,
)
from flasync.toolkit.rules import Program
from flasync.toolkit.statements import walk_nodes

# Methods by which a thread takes something for itself: another thread would have it then.
_TAKING = frozenset({"__enter__", "acquire", "acquire_lock", "wait_for"})


@dataclass(frozen=True, slots=True)
class Freed:
    """How one place that waits is freed, or why not.

    Attributes:
        changes: The calls that are replaced for it.
        stage: The id of the stage that frees it, "" if it is freed by `changes`.
        obstacle: Why it cannot be freed; "" when it is. A sentence without its full stop.
        advice: One line: what to do by hand about the obstacle.
        declined: Why it is not awaited, if something is known that could be: the end of a
            sentence.
        is_in_thread: Whether it still holds a thread, though no longer the loop.
        has_twin: Whether it could be awaited, were it not for the tests.
    """

    changes: tuple[CallChange, ...] = ()
    stage: str = ""
    obstacle: str = ""
    advice: str = ""
    declined: str = ""
    is_in_thread: bool = False
    has_twin: bool = False


_ADVICE = "Move the lines that wait into a function of their own; it can then run in a thread."
_IN_WHOLE = Freed(is_in_thread=True)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A function that goes to a thread as a whole.

    Attributes:
        function: The function.
        span: Where it is.
        waiting: The places at which it waits, each with why it is not awaited there.
        calls: The calls of it, each with the function that it is in.
    """

    function: FunctionNode
    span: Span
    waiting: tuple[tuple[WaitingSite, Refusal], ...]
    calls: Mapping[Span, FunctionNode]

    def free(self, on_loop: Collection[int]) -> list[tuple[WaitingSite, Freed]]:
        """Return how its places are freed: by handing over the calls of it on the loop."""
        changes = tuple(
            _build_handing_over(span, self.function.name, self._explain())
            for span, caller in self.calls.items()
            if _key(caller) in on_loop
        )
        return [
            (
                site,
                Freed(changes, declined=why.reason, is_in_thread=True, has_twin=why.is_for_tests),
            )
            for site, why in self.waiting
        ]

    def _explain(self) -> str:
        calls = ", ".join(dict.fromkeys(f"`{site.site.text}`" for site, _ in self.waiting[:3]))
        if _find_together(self.function, [site for site, _ in self.waiting]):
            return f"it waits in {calls}, which belong together"
        why = next((why.reason for _, why in self.waiting if why.reason), "")
        return f"it waits in {calls}" + (f": {why}" if why else ", of which no async twin is known")


class Freeing:
    """Decides for one program.

    Attributes:
        handed_over: The functions of which a call goes to a thread; they stay plain functions.

    Args:
        program: The app.
        rewrite: Tries to replace a call by its async twin; returns the change, or the reason why
            not, or None when nothing is known that replaces it.
        common: The stages that free calls without a change of them, and why others do not.
        explain_fixed: Says why a call stays as it is written; "" when it need not.
    """

    def __init__(
        self,
        program: Program,
        rewrite: Callable[[WaitingSite, Span], CallChange | Refusal | None],
        common: CommonStages,
        explain_fixed: Callable[[Span], str],
    ) -> None:
        self.handed_over: set[Span] = set()
        self._rewrite = rewrite
        self._common = common
        self._explain_fixed = explain_fixed
        self._beside_loop = list_beside_loop(program)
        self._callers = _index_callers(list_functions(program))
        self._entries = {
            span
            for entries in (*program.entries.values(), program.others)
            for _, function in entries
            if (span := locate_function(function)) is not None
        }

    def free(
        self, sites: Iterable[WaitingSite], roots: Collection[FunctionNode]
    ) -> list[tuple[WaitingSite, Freed]]:
        """Return how each place is freed on the way of one route.

        Args:
            sites: The places.
            roots: The functions from which everything is reached that the route runs.
        """
        freed: list[tuple[WaitingSite, Freed]] = []
        for_threads: dict[int, list[tuple[WaitingSite, Refusal]]] = defaultdict(list)
        for site in sites:
            answer = self._free_without_thread(site)
            if isinstance(answer, Freed):
                freed.append((site, answer))
            else:
                for_threads[_key(site.function)].append((site, answer))
        walked = frozenset(graph.list_functions(roots))
        whole: list[_Whole] = []
        for waiting in for_threads.values():
            handed = self._hand_over(waiting, walked)
            if isinstance(handed, _Whole):
                whole.append(handed)
            else:
                freed += handed
        self.handed_over |= {item.span for item in whole}
        return _keep_on_loop(freed, whole, roots) if whole else freed

    def _free_without_thread(self, site: WaitingSite) -> Freed | Refusal:
        """Return how a place is freed, or why it must go to a thread."""
        if site.is_freed:
            return Freed()
        stage = self._common.find_freeing(site.name)
        if stage is not None:
            return Freed(stage=stage.id)
        stuck = self._common.find_stuck(site.name)
        if stuck is not None:
            reason, advice = stuck
            return Freed(obstacle=reason, advice=advice)
        span = site.span
        fixed = self._explain_fixed(span) if span is not None else ""
        if locate_function(site.function) in self._beside_loop:
            fixed = "a thread runs it, for which an async view may hold the loop"
        answer = Refusal(fixed) if fixed else self._rewrite(site, span) if span else None
        if isinstance(answer, CallChange):
            return Freed((answer,))
        if site.site.blocking is None:
            why = answer.reason if answer is not None else "nothing is known that awaits it"
            return Freed(obstacle=f"`{site.site.text}` runs an event loop of its own, and {why}")
        return _find_bound(site) or answer or Refusal(self._common.explain_declined(site.name))

    def _hand_over(
        self, waiting: list[tuple[WaitingSite, Refusal]], walked: Collection[FunctionNode]
    ) -> list[tuple[WaitingSite, Freed]] | _Whole:
        """Return how the places of one function go to a thread: with the function, or each."""
        function = waiting[0][0].function
        obstacle = self._find_obstacle(function, [site for site, _ in waiting])
        calls = self._list_calls_of(function, walked)
        own = locate_function(function)
        if own is not None and calls and (obstacle or 1 < len(waiting) >= len(calls)):
            return _Whole(function, own, tuple(waiting), calls)
        if obstacle:
            left = Freed(obstacle=obstacle, advice=_ADVICE)
            return [(site, left) for site, _ in waiting]
        return [(site, _hand_site_over(site, why)) for site, why in waiting]

    def _find_obstacle(self, function: FunctionNode, sites: list[WaitingSite]) -> str:
        """Return why the places of a function cannot go to a thread one by one; "" if they can."""
        together = _find_together(function, sites)
        if together:
            return together
        for site in sites:
            if site.span is None:
                return f"it waits in `{site.site.text}`, which is no plain call"
            fixed = self._explain_fixed(site.span)
            if fixed:
                return f"it waits in `{site.site.text}`, and {fixed}"
        return ""

    def _list_calls_of(
        self, function: FunctionNode, walked: Collection[FunctionNode]
    ) -> dict[Span, FunctionNode]:
        """Return the calls of a function by a route, if a thread can run each; else nothing.

        Each comes with the function that it is in.
        """
        own = locate_function(function)
        if own is None or own in self._entries or function.is_async or _is_generator(function):
            return {}
        found: dict[Span, FunctionNode] = {}
        for caller, site in self._callers.get(own, ()):
            if caller not in walked:
                continue
            if not _names_it(site, function) or any(
                locate_function(target) != own for target, _ in site.targets
            ):
                return {}
            assert caller.source is not None and isinstance(site.node, ast.Call)  # noqa: S101  _names_it
            found[locate_span(caller.source, site.node)] = caller
        return {} if any(map(self._explain_fixed, found)) else found


def _key(function: FunctionNode) -> int:
    """Return what all nodes of a function have in common, however it was called."""
    return id(function.tree) if function.tree is not None else id(function)


def _keep_on_loop(
    freed: list[tuple[WaitingSite, Freed]],
    whole: list[_Whole],
    roots: Iterable[FunctionNode],
) -> list[tuple[WaitingSite, Freed]]:
    """Return all answers, without changes of what runs in a thread with a function around it.

    There it may wait as it always did.
    """
    on_loop = _list_on_loop(roots, {_key(item.function) for item in whole})
    kept = [
        (site, _IN_WHOLE if answer.changes and _key(site.function) not in on_loop else answer)
        for site, answer in freed
    ]
    return kept + [pair for item in whole for pair in item.free(on_loop)]


def _list_on_loop(roots: Iterable[FunctionNode], handed_over: Collection[int]) -> set[int]:
    """Return the keys of what is reached by another way than through what is handed over."""
    found: set[int] = set()
    seen: set[FunctionNode] = set()
    waiting = list(roots)
    while waiting:
        function = waiting.pop()
        if function in seen or _key(function) in handed_over:
            continue
        seen.add(function)
        found.add(_key(function))
        for site in function.sites:
            waiting += [target for target, where in site.targets if where is Where.HERE]
    return found


def _index_callers(
    functions: Iterable[FunctionNode],
) -> dict[Span, list[tuple[FunctionNode, CallSite]]]:
    """Return, by the span of a function, all calls that run it."""
    callers: dict[Span, list[tuple[FunctionNode, CallSite]]] = defaultdict(list)
    for function in functions:
        for site in function.sites:
            for target, _ in site.targets:
                span = locate_function(target)
                if span is not None:
                    callers[span].append((function, site))
    return callers


def _names_it(site: CallSite, function: FunctionNode) -> bool:
    """Return whether a call names the function that it runs, and does not get at it otherwise."""
    if not isinstance(site.node, ast.Call):
        return False
    called = site.node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
    return name == getattr(function.tree, "name", None)


def _is_generator(function: FunctionNode) -> bool:
    assert isinstance(function.tree, ast.FunctionDef)  # noqa: S101  it has a span
    nodes = walk_nodes(function.tree.body)
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)


def _find_together(function: FunctionNode, sites: list[WaitingSite]) -> str:
    """Return what makes the places of a function belong together; "" when nothing does."""
    if function.tree is None:
        return f"it waits in `{sites[0].site.text}`, which is no code of the project"
    managed = {
        id(item.context_expr)
        for node in ast.walk(function.tree)
        if isinstance(node, ast.With | ast.AsyncWith)
        for item in node.items
    }
    stored = {
        node.id
        for node in ast.walk(function.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    roots: dict[str, int] = defaultdict(int)
    for site in sites:
        if id(site.site.node) in managed:
            return f"it waits in the block of `with {site.site.text}`"
        roots[_find_root(site.site.node)] += 1
    shared = next((root for root, count in roots.items() if count > 1 and root in stored), "")
    return f"it waits in several calls of `{shared}`, which belong to one thread" if shared else ""


def _find_bound(site: WaitingSite) -> Freed | None:
    """Return why no other thread can wait at a place instead, or None when one can."""
    if site.kind is Kind.CONSOLE or (
        site.kind is Kind.LOCK and site.name.rpartition(".")[2] in _TAKING
    ):
        return Freed(obstacle=f"it waits in `{site.site.text}`, which no thread can do for it")
    if _streams(site.site.node):
        return Freed(obstacle=f"`{site.site.text}` streams: what reads its response waits as well")
    return None


def _streams(node: ast.AST) -> bool:
    """Return whether a call asks for a response that is read later, bit by bit."""
    return isinstance(node, ast.Call) and any(
        keyword.arg == "stream"
        and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        for keyword in node.keywords
    )


def _find_root(node: ast.AST) -> str:
    """Return the name at which an expression begins: `connection` of `connection.cursor()`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        else:
            return ""
    return node.id


def _hand_site_over(site: WaitingSite, why: Refusal) -> Freed:
    assert site.span is not None  # noqa: S101  only such sites are handed over one by one
    reason = why.reason or f"no async twin of `{site.name}` is known"
    change = _build_handing_over(site.span, site.name, reason)
    return Freed((change,), declined=why.reason, is_in_thread=True, has_twin=why.is_for_tests)


def _build_handing_over(span: Span, name: str, reason: str) -> CallChange:
    return CallChange(span, name, Way.OFFLOAD, "", Safety.SAFE, reason)
