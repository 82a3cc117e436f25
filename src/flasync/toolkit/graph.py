"""The call graph: which function calls what, where, and what of it blocks."""

from __future__ import annotations

import ast
import enum
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flasync.toolkit.finding import Place, Step
from flasync.toolkit.knowledge import AttributeRead, Blocking
from flasync.toolkit.sources import FunctionTree, SourceFile


class Where(enum.StrEnum):
    """Where a call runs what it calls."""

    HERE = "here"
    """In the same greenlet or thread, before the call returns."""
    THREAD = "thread"
    """In another thread, while the caller goes on or awaits."""
    LATER = "later"
    """After the request, or never."""


class Usage(enum.StrEnum):
    """What happens to the value of a call."""

    AWAITED = "awaited"
    DISCARDED = "discarded"
    """The call is a statement of its own."""
    USED = "used"


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """What the knowledge says of a call or of the reading of an attribute.

    Attributes:
        name: The dotted name that the knowledge knows.
        known: The entry of the knowledge.
    """

    name: str
    known: Blocking | AttributeRead


@dataclass(slots=True, eq=False)
class CallSite:
    """One call in a function, or another operation that runs code: iteration, `with`, reading.

    Attributes:
        node: Its node; an `ast.Call` for a call as written.
        place: Where it stands.
        text: As written, shortened, such as "supplier.stock(…)".
        names: The dotted names of all that may be called there, if known.
        usage: What happens to its value.
        targets: The project's functions that it runs, each with where.
        blocking: Set when it blocks.
    """

    node: ast.AST
    place: Place
    text: str
    names: tuple[str, ...] = ()
    usage: Usage = Usage.USED
    targets: list[tuple[FunctionNode, Where]] = field(default_factory=list)
    blocking: BlockingCall | None = None

    def add_names(self, *names: str) -> None:
        """Note dotted names of what may be called there."""
        for name in names:
            if name not in self.names:
                self.names += (name,)


@dataclass(slots=True, eq=False)
class FunctionNode:
    """A function of the project as called with certain arguments.

    Attributes:
        name: Its qualified name, such as "shop.views.Basket.get".
        source: The file that it is in; for a template, the template's.
        tree: Its syntax tree; None for a template.
        place: Where it is defined.
        sites: The calls in it, in source order.
        unresolved: Calls whose target is not known: where, and as written.
        namespace: The live globals of its module; empty in static mode.
    """

    name: str
    source: SourceFile | None
    tree: FunctionTree | None
    place: Place
    sites: list[CallSite] = field(default_factory=list)
    unresolved: list[tuple[Place, str]] = field(default_factory=list)
    namespace: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_async(self) -> bool:
        """Whether it is an `async def`."""
        return isinstance(self.tree, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Reached:
    """A call site as first reached from an entry, by the shortest chain.

    Attributes:
        site: What is reached.
        function: The function that it is in.
        chain: The steps to it, the site itself included as the last one.
    """

    site: CallSite
    function: FunctionNode
    chain: tuple[Step, ...]


def walk_functions(entry: FunctionNode) -> Iterator[tuple[FunctionNode, tuple[Step, ...]]]:
    """Yield each function that runs in the request of `entry`, once, with the steps to it.

    The nearest come first. What runs in another thread, or later, is not the request's own time
    and is left out.
    """
    seen = {id(entry)}
    queue: deque[tuple[FunctionNode, tuple[Step, ...]]] = deque([(entry, ())])
    while queue:
        function, chain = queue.popleft()
        yield function, chain
        for site in function.sites:
            for target, where in site.targets:
                if where is Where.HERE and id(target) not in seen:
                    seen.add(id(target))
                    queue.append((target, (*chain, _build_step(function, site))))


def list_functions(entries: Iterable[FunctionNode]) -> list[FunctionNode]:
    """Return each function that `walk_functions` yields for any of several entries, once."""
    found: dict[FunctionNode, None] = {}
    for entry in entries:
        queue = [entry]
        for function in queue:  # which grows meanwhile
            if function not in found:
                found[function] = None
                for site in function.sites:
                    if site.targets:  # of most there are none
                        queue += [target for target, where in site.targets if where is Where.HERE]
    return list(found)


def walk_calls(entry: FunctionNode) -> Iterator[Reached]:
    """Yield each call site of the functions that `walk_functions` yields."""
    for function, chain in walk_functions(entry):
        for site in function.sites:
            yield Reached(site, function, (*chain, _build_step(function, site)))


def _build_step(function: FunctionNode, site: CallSite) -> Step:
    return Step(function.name, site.place, site.text)
