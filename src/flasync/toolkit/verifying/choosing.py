"""Which of an app's routes are verified, by the names that a user gives."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from flasync.errors import VerifyError
from flasync.toolkit.verifying.evidence import AppRoute


def choose_routes(known: Sequence[AppRoute], wanted: Sequence[str]) -> tuple[AppRoute, ...]:
    """Return the routes that are named, each once, in the app's order.

    Args:
        known: The GET routes of the app that need no arguments.
        wanted: Of each a rule, an endpoint, or "GET /rule", with `*` for anything, as `flasync
            scan --route` takes it. A part of "GET /rule" does where nothing is named exactly.

    Raises:
        VerifyError: One of the names is no route's.
    """
    chosen = {route for name in wanted for route in _find(known, name)}
    return tuple(route for route in known if route in chosen)


def _find(known: Sequence[AppRoute], name: str) -> list[AppRoute]:
    found = [route for route in known if _is_named(route, name)]
    found = found or [route for route in known if name.lower() in _list_names(route)[0].lower()]
    if not found:
        raise VerifyError(
            f"--route {name!r} is no GET route without arguments.{_suggest(known, name)} Give a"
            " route that needs arguments, or another method, as a path: flasync verify /books/3"
        )
    return found


def _is_named(route: AppRoute, name: str) -> bool:
    pattern = name.replace("[", "[[]")  # which has no meaning in a rule
    return any(fnmatchcase(each, pattern) for each in _list_names(route))


def _suggest(known: Sequence[AppRoute], name: str) -> str:
    names = {each: route.path for route in known for each in _list_names(route)}
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    paths = dict.fromkeys(names[each] for each in close)
    return f" Did you mean {' or '.join(map(repr, paths))}?" if paths else ""


def _list_names(route: AppRoute) -> tuple[str, ...]:
    return f"{route.method} {route.path}", route.path, route.endpoint
