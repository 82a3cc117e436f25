"""What belongs to the thread of a request: a route that uses it must not leave its thread.

All requests on the event loop run in one thread. A session, a connection or a value that is kept
once for each thread would be shared by all of them, in the middle of one another's transactions.
"""

from __future__ import annotations

import ast
import inspect
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from flasync.toolkit.finding import Finding, Place
from flasync.toolkit.graph import CallSite, FunctionNode, walk_functions
from flasync.toolkit.knowledge import AttributeRead
from flasync.toolkit.rules import Program, load_rules
from flasync.toolkit.statements import walk_own

# The rule that finds thread-local objects where they are used by name.
_THREAD_LOCAL_RULE = "FSY302"
# Libraries that keep the connection itself in a thread-local, behind every model and query.
_THREAD_BOUND = frozenset({"peewee"})
_SQLALCHEMY = frozenset({"flask_sqlalchemy", "sqlalchemy"})
# What a `scoped_session` asks which session is meant, where each thread is to have its own.
_TELL_THREADS = (threading.get_ident, threading.get_native_id, threading.current_thread)
_SESSION_REGISTRY = "ThreadLocalRegistry"  # what it has without being told
_REGISTRY_MODULE = "sqlalchemy.util._collections"
_QUERY_PROPERTY = "scoped_session.query_property."


@dataclass(frozen=True, slots=True)
class ThreadBound:
    """Why a route must stay in its thread.

    Attributes:
        reason: A sentence without its full stop.
        place: Where it uses what belongs to the thread.
    """

    reason: str
    place: Place


def find_thread_bound(
    program: Program, entries: list[tuple[str, FunctionNode]]
) -> ThreadBound | None:
    """Return what of a route belongs to its thread, the nearest to its entries, or None.

    Live objects are looked at; none of the app's code is run. Without a live app, only what the
    libraries keep for each thread is known.

    Args:
        program: The app.
        entries: The route's entry functions: (kind, function).
    """
    findings = _find_thread_locals(program)
    session = _find_thread_session(program)
    for _, entry in entries:
        for function, _ in walk_functions(entry):
            finding = findings.get((function.place.file, function.name))
            if finding is not None:
                return ThreadBound(finding.message, finding.place)
            bound = _find_session_use(function, session) or _find_library_use(function)
            if bound is not None:
                return bound
    return None


def _find_library_use(function: FunctionNode) -> ThreadBound | None:
    """Return the first call into a library whose connections belong to threads, or None."""
    for site in function.sites:
        library = _find_library(site)
        if library in _THREAD_BOUND:
            reason = (
                f"{library} keeps one connection for each thread, and all requests on the event"
                " loop would share that of theirs"
            )
            return ThreadBound(reason, site.place)
    return None


def _find_session_use(function: FunctionNode, session: str | None) -> ThreadBound | None:
    """Return the first use of SQLAlchemy where the app has a session for each thread, or None."""
    if session is None:
        return None
    places = (site.place for site in function.sites if _find_library(site) in _SQLALCHEMY)
    place = next(places, None)
    if place is None and function.source is not None:
        owner = _find_query_owner(function)
        place = function.source.locate(owner) if owner is not None else None
    if place is None:
        return None
    reason = (
        f"the `scoped_session` {session} keeps one session for each thread, and all requests on"
        " the event loop would share that of theirs"
    )
    return ThreadBound(reason, place)


def _find_library(site: CallSite) -> str:
    if site.blocking is None:
        return ""
    known = site.blocking.known
    name = known.descriptor if isinstance(known, AttributeRead) else site.blocking.name
    return name.partition(".")[0]


@lru_cache(maxsize=1)  # each route of a plan asks for it
def _find_thread_locals(program: Program) -> dict[tuple[str, str], Finding]:
    """Return the first use of a thread-local object in each function: (file, name) to finding."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in load_rules()[_THREAD_LOCAL_RULE].find(program):
        found.setdefault((finding.place.file, finding.function), finding)
    return found


@lru_cache(maxsize=1)
def _find_thread_session(program: Program) -> str | None:
    """Return the name of a session of the app that is one for each thread, or None.

    `Model.query` and what else SQLAlchemy offers lead to it without naming it, so that each of the
    app's sessions is looked at, and not only those that a function mentions.
    """
    return next((name for name, held in _list_held(program) if _is_one_a_thread(held)), None)


def _list_held(program: Program) -> Iterator[tuple[str, Any]]:
    """Yield what the project's modules, the app and its extensions hold, each with a name."""
    for name, module in list(sys.modules.items()):
        if type(module) is ModuleType and program.sources.is_own(
            getattr(module, "__file__", "") or ""
        ):
            yield from ((f"`{name}.{key}`", value) for key, value in list(vars(module).items()))
    if program.app is not None:
        yield from ((f"`app.{key}`", value) for key, value in list(vars(program.app).items()))
        for key, extension in program.app.extensions.items():
            yield f"`{key}.session`", inspect.getattr_static(extension, "session", None)


def _is_one_a_thread(value: Any) -> bool:
    registry = inspect.getattr_static(value, "registry", None)
    if type(registry).__module__ != _REGISTRY_MODULE:
        return False
    if type(registry).__name__ == _SESSION_REGISTRY:
        return True
    tells_apart = getattr(registry, "scopefunc", None)
    return any(tells_apart is function for function in _TELL_THREADS)


def _find_query_owner(function: FunctionNode) -> ast.Name | None:
    """Return the first mention of a class whose `query` comes from a `scoped_session`, or None.

    Such a query is made by a descriptor that is local to `query_property`; nothing is known of what
    it gives, and so of the calls on it.
    """
    if function.tree is None or not function.namespace:
        return None
    for node in walk_own(function.tree):
        if isinstance(node, ast.Name) and node.id in function.namespace:
            query = inspect.getattr_static(function.namespace[node.id], "query", None)
            if _QUERY_PROPERTY in type(query).__qualname__:
                return node
    return None
