"""Doing what the knowledge says that a callable does: block, run, iterate, render, return."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flasync.toolkit.graph import BlockingCall, CallSite, Where
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.live_functions import find_object_of, is_coroutine_function
from flasync.toolkit.interpreter.members import MISSING, is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    Instance,
    Live,
    Named,
    SourceClass,
    Value,
    Values,
    is_constant,
    join,
    list_live,
)
from flasync.toolkit.knowledge import Decorator, UsedObject
from flasync.toolkit.knowledge.lookup import Entry


class KnownEffects(Part):
    """Applies the entries of the knowledge to calls."""

    def apply(
        self,
        name: str,
        entry: Entry,
        callee: Value,
        arguments: Arguments,
        site: CallSite,
        where: Where,
    ) -> Values:
        """Do what an entry says of a call, and return what the call gives.

        Args:
            name: The dotted name under which the entry was found.
            entry: What is known.
            callee: What is called.
            arguments: With what.
            site: Where what happens is noted.
            where: Where the call itself runs; in another thread nothing blocks the request.
        """
        receiver = callee.receiver if isinstance(callee, Bound) else None
        if where is Where.HERE and not _is_coroutine(callee):
            self._block(name, entry, arguments, receiver, site)
        results: list[Values] = []
        if entry.runs is not None:
            results += self._run(entry, receiver, arguments, site)
        if entry.template is not None:
            self._render(entry.template.argument, arguments, site)
        if entry.returns is not None:
            return self._read_type(entry.returns.type, receiver, arguments, site)
        if isinstance(callee, Live) and is_a(callee.obj, type):
            return (Instance(callee.obj),)
        if isinstance(callee, Named):
            return (Instance(callee),)
        found = [
            self._evaluator.calls.read_returns(function.obj, receiver)
            for function in list_live(callee)
        ]
        return join(*found, *results)

    def _read_type(
        self, expression: str, receiver: Value | None, arguments: Arguments, site: CallSite
    ) -> Values:
        owned = (receiver,) if receiver is not None else UNKNOWN
        get_items = self._evaluator.operations.get_items
        word, _, rest = expression.partition(" ")
        if word == "enter":
            managers = self._evaluator.types.read(rest, owned, arguments, get_items)
            return self._evaluator.operations.enter(managers, Spot(lambda: site))
        return self._evaluator.types.read(expression, owned, arguments, get_items)

    def decorate(self, decorator: Decorator, site: CallSite, closure: Mapping[str, Any]) -> None:
        """Do what the wrapper of a known decorator does, with what it closes over."""
        for name in decorator.uses:
            self._use_known(name, site, closure)
        for path in decorator.runs:
            self.run_path(path, site, closure)

    def _run(
        self, entry: Entry, receiver: Value | None, arguments: Arguments, site: CallSite
    ) -> list[Values]:
        """Run what the knowledge says that a callable runs; return what that gives."""
        runs = entry.runs
        if runs is None:
            return []
        spot = Spot(lambda: site)
        where = Where(runs.where)
        results = [
            self._evaluator.calls.call(function, Arguments(is_partial=True), site, where)
            for key in runs.arguments
            for function in arguments.get(key) or ()
            if not is_constant(function)
        ]
        for key in runs.iterates:
            self._evaluator.operations.iterate_at(arguments.get(key) or UNKNOWN, spot)
        if isinstance(receiver, Live):
            for path in runs.receivers:
                for function in _list_functions(members.get_path(receiver.obj, path)):
                    results.append(
                        self._evaluator.calls.call(
                            Live(function), Arguments(is_partial=True), site, where
                        )
                    )
        if receiver is not None:
            for pattern in runs.methods:
                for name in self._list_methods(receiver, pattern):
                    for method in self._evaluator.attributes.read_one(receiver, name, spot):
                        results.append(self._evaluator.calls.call(method, Arguments(), site, where))
        return results

    def _list_methods(self, receiver: Value, pattern: str) -> Iterator[str]:
        """Yield the names of the project's own methods that match a pattern."""
        cls = members.get_class(receiver)
        for base in members.list_classes(cls) if cls is not None else []:
            if isinstance(base, SourceClass):
                names: Iterable[str] = base.members
            elif isinstance(base, type) and self._evaluator.ownership.is_own_class(base):
                names = [name for name, member in vars(base).items() if callable(member)]
            else:
                continue
            for name in names:
                if name == pattern or (pattern[-1] == "*" and name.startswith(pattern[:-1])):
                    yield name

    def _use_known(self, name: str, site: CallSite, closure: Mapping[str, Any]) -> None:
        """Do what using a known global, or calling a known callable, does."""
        entry = self._evaluator.knowledge.find(name)
        if entry is None:
            return
        if entry.used is not None:
            self.run_used(entry.used, site)
        cls = self._evaluator.types.find_class(name.rpartition(".")[0])
        receiver = find_object_of(cls, closure)
        self._block(name, entry, Arguments(is_partial=True), receiver, site)

    def _block(
        self,
        name: str,
        entry: Entry,
        arguments: Arguments,
        receiver: Value | None,
        site: CallSite,
    ) -> None:
        """Note that a site blocks, unless it does already, or this call of it does not."""
        blocking = entry.blocking
        if blocking is None or site.blocking is not None:
            return
        if not self._evaluator.known.is_excused(blocking.unless, arguments, receiver):
            site.blocking = BlockingCall(name, blocking)

    def run_used(self, used: UsedObject, site: CallSite) -> Values:
        """Run what the use of a known object runs, and return what that object is."""
        return join(*(self.run_path(f"app.{path}", site, {}) for path in used.runs))

    def run_path(self, path: str, site: CallSite, names: Mapping[str, Any]) -> Values:
        """Run the function of the project at a path from the app or from a closure."""
        start, _, rest = path.partition(".")
        target = self._evaluator.app if start == "app" else names.get(start, MISSING)
        if target is not None and target is not MISSING and rest:
            target = members.get_path(target, rest)
        if target is None or target is MISSING or not callable(target):
            return UNKNOWN
        return self._evaluator.calls.call(Live(target), Arguments(is_partial=True), site)

    def _render(self, argument: str, arguments: Arguments, site: CallSite) -> None:
        """Note the templates that a call renders."""
        if self._evaluator.templates is not None:
            names = arguments.get(argument) or UNKNOWN
            self._evaluator.templates.render(names, arguments.keywords, site)


def _list_functions(found: Any) -> Iterator[Any]:
    """Yield the functions of a list or dict of them, of which some may be weak references."""
    if found is MISSING:
        return
    held = found.values() if is_a(found, dict) else found
    for item in list(held) if is_a(found, dict, list, tuple, set) else [found]:
        function = item() if is_a(item, weakref.ref) else item
        if function is not None:
            yield function


def _is_coroutine(callee: Value) -> bool:
    """Return whether a call gives a coroutine, which waits for nothing before it is awaited."""
    return any(is_coroutine_function(value.obj) for value in list_live(callee))
