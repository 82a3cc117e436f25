"""What on a route's way must not run on the event loop, although no call of it blocks.

In a thread of its own, a request may hold a lock while it waits, tell requests apart by the thread,
and start an event loop. On the loop, which all requests share, the first stops the process for
good, the second mixes up requests, and the third raises. What belongs to threads in another way is
found by `thread_bound`.

The body of a generator, also of one that a response streams, runs in the lane of its request: the
call graph counts what blocks in it as the route's own, so nothing is said of it here.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from flasync.toolkit.finding import Finding, Place
from flasync.toolkit.graph import CallSite, FunctionNode, Usage, walk_functions
from flasync.toolkit.held_locks import list_held
from flasync.toolkit.knowledge import Blocking, Kind, Way
from flasync.toolkit.migration.recipes import find_recipe
from flasync.toolkit.rules import Program, load_rules
from flasync.toolkit.scopes import MISSING, THREAD_LOCKS, Scope, open_scopes
from flasync.toolkit.statements import walk_nodes
from flasync.toolkit.syntax import walk_nodes as walk_all
from flasync.toolkit.waiting import find_leading_to, is_bridge, list_run

_NESTED_LOOP = "FSY202"
# The bridge of flasync stands in for it in requests, wherever they run.
_HANDLED_RUNNERS = frozenset({"asgiref.sync.async_to_sync"})
_SIGNAL_CALLS = frozenset({"alarm", "setitimer", "signal"})
_SIGNAL_MODULES = frozenset({"_signal", "signal"})
_IDENTITIES = frozenset({"get_ident", "get_native_id"})
_THREADS = frozenset({"current_thread", "currentThread"})
_THREAD_MODULES = frozenset({"_thread", "threading"})
_PROCESS = "subprocess.Popen"
_PIPES = frozenset({"stderr", "stdin", "stdout"})
# Where others get their turn by the syntax alone.
_SWITCHING = (ast.AsyncFor, ast.AsyncWith, ast.Await, ast.Yield, ast.YieldFrom)
# What is asked of a thread for messages alone.
_NAMES = frozenset({"getName", "name"})


@dataclass(frozen=True, slots=True)
class Hazard:
    """Why a route must stay in its thread.

    Attributes:
        reason: What stands in the way, without a full stop.
        place: Where.
    """

    reason: str
    place: Place


def find_loop_hazard(
    program: Program, entries: Iterable[tuple[str, FunctionNode]]
) -> Hazard | None:
    """Return what of a route must not run on the event loop, the nearest to its entries, or None.

    Args:
        program: The app.
        entries: The route's entry functions in the graph: (kind, function).
    """
    locks = _read_locks(program)
    loops = _find_nested_loops(program)
    for _, entry in entries:
        for function, _ in walk_functions(entry):
            hazard = locks.find(function) or _find_in_calls(function, loops)
            if hazard is not None:
                return hazard
    return None


# Locks


@dataclass(frozen=True, slots=True)
class _Held:
    """One block that holds a lock.

    Attributes:
        name: The lock, as written.
        key: What tells it from other locks; None for one that nobody else knows by sight.
        place: Where it is taken.
        wait: The line of the first wait of the block; None without one.
    """

    name: str
    key: Hashable
    place: Place
    wait: int | None


class _Locks:
    """The locks of a program's functions.

    Args:
        held: For each function, the blocks of it that hold one.
    """

    def __init__(self, held: dict[FunctionNode, list[_Held]]) -> None:
        self._held = held
        self._kept = {
            block.key: block
            for blocks in held.values()
            for block in blocks
            if block.wait is not None and block.key is not None
        }

    def find(self, function: FunctionNode) -> Hazard | None:
        """Return the lock by which a function could stop the event loop."""
        for block in self._held.get(function, ()):
            if block.wait is not None:
                return Hazard(
                    f"`{block.name}` is held while it waits in line {block.wait}: on the event loop"
                    " the next request that wants it would stop all requests for good",
                    block.place,
                )
            kept = self._kept.get(block.key) if block.key is not None else None
            if kept is not None:
                return Hazard(
                    f"it takes `{block.name}`, which is held at {kept.place} during a wait: the"
                    " event loop, and every request on it, would stand still meanwhile",
                    block.place,
                )
        return None


@lru_cache(maxsize=1)  # each route of a program asks for them
def _read_locks(program: Program) -> _Locks:
    functions = program.functions  # a command has a process, and its locks, of its own
    waiting = find_leading_to(functions, _waits)
    scopes = open_scopes(program)
    held: dict[FunctionNode, list[_Held]] = {}
    for function in functions:
        scope = scopes.get(function)
        if scope is not None:
            switches = {
                site.node
                for site in function.sites
                if _waits(site) or not waiting.isdisjoint(list_run(site))
            }
            held[function] = list(_list_locks(function, scope, switches))
    return _Locks(held)


def _waits(site: CallSite) -> bool:
    """Return whether a call waits, or would once it is freed from its thread."""
    if is_bridge(site) or _is_rewritten(site):
        return True
    if site.usage is Usage.AWAITED:
        return not site.targets
    known = site.blocking.known if site.blocking is not None else None
    if known is None or known.kind in {None, Kind.CPU}:
        return False
    return not isinstance(known, Blocking) or known.way is not Way.LEAVE


def _is_rewritten(site: CallSite) -> bool:
    """Return whether a recipe makes a call one that is awaited."""
    recipes = (find_recipe(name) for name in site.names)
    return any(recipe is not None and recipe.way is Way.REWRITE for recipe in recipes)


def _list_locks(function: FunctionNode, scope: Scope, switches: set[ast.AST]) -> Iterator[_Held]:
    for statement, lock, body in list_held(scope.tree):
        cls = scope.find_class(lock)
        if cls is None or not issubclass(cls, THREAD_LOCKS) or function.source is None:
            continue
        yield _Held(
            ast.unparse(lock),
            _build_key(lock, scope, function),
            function.source.locate(statement),
            _find_wait(body, switches),
        )


def _build_key(lock: ast.expr, scope: Scope, function: FunctionNode) -> Hashable:
    value = scope.find_value(lock)
    if value is not MISSING:
        return id(value)
    # That of an object: all of its class count as one.
    owner = function.name.rpartition(".")[0]
    return (owner, ast.unparse(lock)) if isinstance(lock, ast.Attribute) else None


def _find_wait(body: list[ast.stmt], switches: set[ast.AST]) -> int | None:
    """Return the line of the first wait of a block, or None.

    While a generator is not asked for more, anything may wait: a client that reads slowly.
    """
    for node in walk_nodes(body):
        if node in switches or isinstance(node, _SWITCHING):
            return int(getattr(node, "lineno", body[0].lineno))
    return None


# Calls


@lru_cache(maxsize=1)  # each route of a program asks for them
def _find_nested_loops(program: Program) -> dict[Place, Finding]:
    """Return the calls that run a coroutine on another loop, by place."""
    return {finding.place: finding for finding in load_rules()[_NESTED_LOOP].find(program)}


def _find_in_calls(function: FunctionNode, loops: dict[Place, Finding]) -> Hazard | None:
    for site in function.sites:
        reason = _judge_loop(site, loops) or _judge_names(site, function)
        if reason:
            return Hazard(reason, site.place)
    return None


def _judge_loop(site: CallSite, loops: dict[Place, Finding]) -> str:
    finding = loops.get(site.place)
    if finding is None or finding.subject in _HANDLED_RUNNERS:
        return ""
    if _is_rewritten(site):
        return ""
    return f"`{site.text}` runs an event loop of its own, which raises RuntimeError on the app's"


def _judge_names(site: CallSite, function: FunctionNode) -> str:
    for name in site.names:
        module, _, last = name.rpartition(".")
        if name == _PROCESS and _uses_pipes(function):
            return f"it uses the pipes of `{site.text}`, which wait for the program"
        if module in _SIGNAL_MODULES and last in _SIGNAL_CALLS:
            return f"`{site.text}` would change what signals do to the server"
        if module not in _THREAD_MODULES:
            continue
        if last in _IDENTITIES or (last in _THREADS and not _is_named_only(site, function)):
            return (
                f"`{site.text}` tells requests apart by their threads, and all on the event loop"
                " share one"
            )
    return ""


def _uses_pipes(function: FunctionNode) -> bool:
    """Return whether a function that starts a program reads or writes its pipes by itself."""
    nodes = walk_all(function.tree) if function.tree is not None else ()
    return any(isinstance(node, ast.Attribute) and node.attr in _PIPES for node in nodes)


def _is_named_only(site: CallSite, function: FunctionNode) -> bool:
    """Return whether nothing but its name is asked of the thread that a call gives."""
    if function.tree is None:
        return False
    return any(
        isinstance(node, ast.Attribute) and node.value is site.node and node.attr in _NAMES
        for node in walk_all(function.tree)
    )
