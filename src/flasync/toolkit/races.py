"""Where a function writes shared state by what it has read before it waited.

A function is walked in the order in which it runs. Each reading of shared state becomes a `Token`.
A token flows with the value into local names, and a test puts its tokens in force for all that
runs because of the test. A wait makes every token stale. A write that rests on a stale token of the
same place is a race: another request may have written in between.

Left alone are writes under a lock, places that were tested again or already written after the
wait, and different keys of one dict.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from flasync.toolkit.sources import FunctionTree

MUTATORS = {
    "__setitem__": True,
    "add": True,
    "append": False,
    "appendleft": False,
    "clear": False,
    "extend": False,
    "insert": False,
    "pop": True,
    "popitem": False,
    "popleft": False,
    "remove": True,
    "update": False,
}
"""Methods that change a container, and whether their first argument is the key."""
_KEYED_READS = frozenset({"__contains__", "__getitem__", "get"})


@dataclass(frozen=True, slots=True)
class Location:
    """A piece of shared state.

    Attributes:
        path: The object as written, such as "state.STOCK".
        key: The dump of the expression of the key or index; None for the whole of it.
    """

    path: str
    key: str | None = None

    def overlaps(self, other: Location) -> bool:
        """Return whether a write of one may change what was read of the other."""
        return self.path == other.path and (
            self.key is None or other.key is None or self.key == other.key
        )


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """One reading of shared state."""

    location: Location
    node: ast.expr


@dataclass(frozen=True, slots=True)
class Race:
    """A write that rests on what was read before a wait."""

    path: str
    read: ast.expr
    wait: ast.AST
    write: ast.AST


Tokens = frozenset[Token]
_NONE: Tokens = frozenset()


@dataclass(slots=True)
class _State:
    """What is known at one point of the function.

    Attributes:
        checks: Tokens of the tests because of which this point is reached.
        values: What the local names hold.
        stale: The tokens that have waited, and where.
        live: Every token that can still become stale.
        ended: Whether this point is never reached.
    """

    checks: Tokens = _NONE
    values: dict[str, Tokens] = field(default_factory=dict)
    stale: dict[Token, ast.AST] = field(default_factory=dict)
    live: set[Token] = field(default_factory=set)
    ended: bool = False

    def copy(self) -> _State:
        return _State(self.checks, dict(self.values), dict(self.stale), set(self.live), self.ended)

    def check(self, tokens: Tokens) -> None:
        """Put tokens in force; a newer test of the same object replaces an older one."""
        paths = {token.location.path for token in tokens}
        kept = {token for token in self.checks if token.location.path not in paths}
        self.checks = tokens.union(kept)

    def join(self, other: _State) -> None:
        """Become what is known after two ways that meet here."""
        if self.ended:
            self.checks, self.ended = other.checks, other.ended
            self.values, self.stale, self.live = other.values, other.stale, other.live
        elif not other.ended:
            self.checks &= other.checks
            names = self.values.keys() | other.values.keys()
            self.values = {
                name: self.values.get(name, _NONE) | other.values.get(name, _NONE) for name in names
            }
            self.stale |= other.stale
            self.live |= other.live


class RaceFinder:
    """Walks one function.

    Args:
        get_path: Returns the name of the shared object that an expression is, or None.
        waits: Whether a node waits when it is evaluated.
        is_lock: Whether an expression is a lock.
    """

    def __init__(
        self,
        get_path: Callable[[ast.expr], str | None],
        waits: Callable[[ast.AST], bool],
        is_lock: Callable[[ast.expr], bool],
    ) -> None:
        self._get_path = get_path
        self._waits = waits
        self._is_lock = is_lock
        self._state = _State()
        self._locks = 0
        self._races: list[Race] = []

    def find(self, tree: FunctionTree) -> list[Race]:
        """Return the races of a function, in source order."""
        if not isinstance(tree, ast.Lambda):
            self._run(tree.body)
        return self._races

    # Statements

    def _run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            if self._state.ended:
                return
            self._run_one(statement)

    def _run_one(self, statement: ast.stmt) -> None:
        match statement:
            case ast.If() | ast.While():
                self._run_test(statement)
            case ast.For() | ast.AsyncFor():
                self._evaluate(statement.iter)
                self._wait_at(statement)
                self._store(statement.target, _NONE)
                self._run_ways(statement.body, statement.orelse)
            case ast.With() | ast.AsyncWith():
                self._run_with(statement)
            case ast.Try() | ast.TryStar():
                self._run_try(statement)
            case ast.Match():
                self._state.check(self._evaluate(statement.subject))
                self._run_ways(*(case.body for case in statement.cases), [])
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._state.values[statement.name] = _NONE
            case _:
                self._run_simple(statement)

    def _run_simple(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign():
                flows = self._evaluate(statement.value)
                for target in statement.targets:
                    self._store(target, flows)
            case ast.AnnAssign(value=ast.expr() as value):
                self._store(statement.target, self._evaluate(value))
            case ast.AugAssign():
                before = self._read_target(statement.target)
                self._store(statement.target, before | self._evaluate(statement.value))
            case ast.Delete():
                for target in statement.targets:
                    self._store(target, _NONE)
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
                self._evaluate_parts(statement)
                self._state.ended = True
            case _:
                self._evaluate_parts(statement)

    def _run_test(self, statement: ast.If | ast.While) -> None:
        before = self._state.checks
        self._state.check(self._evaluate(statement.test))
        ended = self._run_ways(statement.body, statement.orelse)
        # After `if key in CACHE: return …` everything else runs because of the test.
        if isinstance(statement, ast.While) or not ended:
            self._state.checks &= before

    def _run_ways(self, *bodies: list[ast.stmt]) -> bool:
        """Run blocks of which one is chosen; return whether one of them leaves the function."""
        start = self._state
        ends: list[_State] = []
        for body in bodies:
            self._state = start.copy()
            self._run(body)
            ends.append(self._state)
        self._state = ends[0].copy()
        for end in ends[1:]:
            self._state.join(end)
        return any(end.ended for end in ends)

    def _run_with(self, statement: ast.With | ast.AsyncWith) -> None:
        locks = 0
        for item in statement.items:
            flows = self._evaluate(item.context_expr)
            self._wait_at(statement)
            locks += self._is_lock(item.context_expr)
            if item.optional_vars is not None:
                self._store(item.optional_vars, flows)
        self._locks += locks
        self._run(statement.body)
        self._locks -= locks

    def _run_try(self, statement: ast.Try | ast.TryStar) -> None:
        start = self._state.copy()
        self._run(statement.body)
        self._run(statement.orelse)
        done = self._state
        # A handler may run after any part of the body: what was stale then may be stale now.
        start.stale |= done.stale
        start.live |= done.live
        for handler in statement.handlers:
            self._state = start.copy()
            self._run(handler.body)
            done.join(self._state)
        self._state = done
        ended, self._state.ended = self._state.ended, False
        self._run(statement.finalbody)
        self._state.ended |= ended

    # Expressions

    def _evaluate_parts(self, node: ast.AST) -> Tokens:
        flows = _NONE
        for child in _list_evaluated(node):
            flows |= self._evaluate(child)
        return flows

    def _evaluate(self, node: ast.AST) -> Tokens:
        """Return the tokens that flow into the value of an expression."""
        match node:
            case ast.Lambda():
                return _NONE
            case ast.NamedExpr():
                flows = self._evaluate(node.value)
                self._store(node.target, flows)
                return flows
            case ast.Name() if self._get_path(node) is None:
                return self._state.values.get(node.id, _NONE)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                flows = self._read(node)
            case ast.Call(func=ast.Attribute() as method):
                flows = self._call_method(node, method)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
                flows = self._test_member(node.left, container)
            case _:
                flows = self._evaluate_parts(node)
        self._wait_at(node)
        return flows

    def _call_method(self, call: ast.Call, method: ast.Attribute) -> Tokens:
        location = self._locate(method.value)
        if location is None:
            return self._evaluate_parts(call)
        flows = _NONE
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            flows |= self._evaluate(argument)
        if method.attr in MUTATORS:
            keyed = MUTATORS[method.attr] and call.args
            # `pop(key, None)` is content with whatever it meets.
            if not (method.attr == "pop" and len(call.args) > 1):
                self._write(_add_key(location, call.args[0]) if keyed else location, flows, call)
            return _NONE
        if method.attr in _KEYED_READS and call.args:
            location = _add_key(location, call.args[0])
        return flows | self._note_read(location, call)

    def _test_member(self, key: ast.expr, container: ast.expr) -> Tokens:
        flows = self._evaluate(key)
        location = self._locate(container)
        if location is None:
            return flows | self._evaluate(container)
        return flows | self._note_read(_add_key(location, key), container)

    def _read(self, node: ast.Name | ast.Attribute | ast.Subscript) -> Tokens:
        location = self._locate(node)
        if location is None:
            return self._evaluate_parts(node)
        flows = self._evaluate_parts(node.slice) if isinstance(node, ast.Subscript) else _NONE
        return flows | self._note_read(location, node)

    def _read_target(self, target: ast.expr) -> Tokens:
        if isinstance(target, ast.Name) and self._get_path(target) is None:
            return self._state.values.get(target.id, _NONE)
        location = self._locate(target)
        return _NONE if location is None else self._note_read(location, target)

    def _note_read(self, location: Location, node: ast.expr) -> Tokens:
        token = Token(location, node)
        self._state.live.add(token)
        return frozenset({token})

    def _locate(self, node: ast.expr) -> Location | None:
        path = self._get_path(node)
        if path is not None:
            return Location(path)
        if isinstance(node, ast.Subscript):
            location = self._locate(node.value)
            return location and _add_key(location, node.slice)
        if isinstance(node, ast.Attribute):
            location = self._locate(node.value)
            # An attribute of an element; one of the container itself is a method.
            return location if location is not None and location.key is not None else None
        return None

    # What happens

    def _wait_at(self, node: ast.AST) -> None:
        if self._waits(node):
            for token in self._state.live:
                self._state.stale.setdefault(token, node)

    def _store(self, target: ast.expr, flows: Tokens) -> None:
        match target:
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self._store(element, flows)
            case ast.Starred():
                self._store(target.value, flows)
            case ast.Name() if self._get_path(target) is None:
                self._state.values[target.id] = flows
            case _:
                location = self._locate(target)
                if isinstance(target, ast.Subscript):
                    flows |= self._evaluate(target.slice)
                if location is not None:
                    self._write(location, flows, target)

    def _write(self, location: Location, flows: Tokens, node: ast.AST) -> None:
        if not self._locks:
            for token in sorted(flows | self._state.checks, key=_get_position):
                wait = self._state.stale.get(token)
                if wait is not None and token.location.overlaps(location):
                    self._races.append(Race(location.path, token.node, wait, node))
                    break
        # What this request has written itself, it no longer rests on the test for.
        self._state.checks = frozenset(
            token for token in self._state.checks if token.location.path != location.path
        )


def _add_key(location: Location, key: ast.expr) -> Location:
    return location if location.key is not None else Location(location.path, ast.dump(key))


def _get_position(token: Token) -> tuple[int, int]:
    return token.node.lineno, token.node.col_offset


def _list_evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a node in the order in which they are evaluated."""
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        yield from (*node.generators, node.elt)
    elif isinstance(node, ast.DictComp):
        yield from (*node.generators, node.key, node.value)
    elif isinstance(node, ast.comprehension):
        yield from (node.iter, *node.ifs)
    else:
        yield from ast.iter_child_nodes(node)
