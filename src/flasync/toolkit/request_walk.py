"""What of the project's code runs in requests, and what of that runs on the event loop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import flask

from flasync.lanes import Lane, find_course
from flasync.toolkit.graph import CallSite, FunctionNode, Where
from flasync.toolkit.rules.rule import Program
from flasync.toolkit.surface import Route


@lru_cache(maxsize=1)  # each rule of a scan asks for it
def find_loop_functions(program: Program) -> dict[FunctionNode, bool]:
    """Return the functions that requests run themselves, and whether that is on the event loop.

    A function that one route runs on the loop and another in a thread counts as on the loop. What
    requests hand to other threads, or put off until later, is left out.
    """
    reached: dict[FunctionNode, bool] = {}
    waiting = list(_list_starts(program))
    while waiting:
        function, on_loop = waiting.pop()
        # A coroutine runs on the loop, whichever thread waits for it.
        on_loop = on_loop or function.is_async
        known = reached.get(function)
        if known or known == on_loop:
            continue
        reached[function] = on_loop
        for site in function.sites:
            for target, where in site.targets:
                if where is Where.HERE:
                    waiting.append((target, on_loop))
    return reached


@lru_cache(maxsize=1)  # each rule about blocking calls asks for them
def list_blocking_sites(program: Program) -> list[tuple[FunctionNode, bool, CallSite]]:
    """Return the call sites of `find_loop_functions` that block, as (function, on loop, site)."""
    return [
        (function, on_loop, site)
        for function, on_loop in find_loop_functions(program).items()
        for site in function.sites
        if site.blocking is not None
    ]


def _list_starts(program: Program) -> Iterator[tuple[FunctionNode, bool]]:
    for route in program.surface.routes:
        entries = program.entries.get(route.id, [])
        on_loop = runs_on_loop(program.app, route, entries)
        for _, function in entries:
            yield function, on_loop
    for _, function in program.others:
        yield function, False


def runs_on_loop(
    app: flask.Flask | None, route: Route, entries: list[tuple[str, FunctionNode]]
) -> bool:
    """Return whether the requests for a route run on the event loop, hooks included.

    Args:
        app: The live app; without it, only an `async def` view counts.
        route: The route.
        entries: Its entry functions in the graph: (kind, function).
    """
    if app is not None and route.endpoint in app.view_functions:
        view = app.view_functions[route.endpoint]
        return any(find_course(view, method).lane is Lane.LOOP for method in route.methods)
    return any(kind == "view" and function.is_async for kind, function in entries)
