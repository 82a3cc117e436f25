"""Functions that run in threads of the app's own, for which an async view may hold the loop.

An async view that waits for a thread without `await`, such as by `pool.map`, holds the loop until
the thread is done. What the thread runs must then not wait for the loop in turn.
"""

from __future__ import annotations

from flasync.toolkit.graph import FunctionNode, Usage, Where, list_functions
from flasync.toolkit.migration.plan import Span
from flasync.toolkit.migration.waiting_sites import locate_function
from flasync.toolkit.rules import Program


def list_beside_loop(program: Program) -> frozenset[Span]:
    """Return the spans of the functions that must not wait for the loop."""
    on_loop = (
        entry
        for entries in program.entries.values()
        if any(kind == "view" and entry.is_async for kind, entry in entries)
        for _, entry in entries
    )
    threads = _list_threads(list_functions(on_loop))
    return frozenset(filter(None, map(locate_function, list_functions(threads))))


def _list_threads(functions: list[FunctionNode]) -> list[FunctionNode]:
    """Return what functions have run in threads, and do not await."""
    return [
        target
        for function in functions
        for site in function.sites
        if site.usage is not Usage.AWAITED
        for target, where in site.targets
        if where is not Where.HERE
    ]
