"""What attributes are given by the code, in `__init__`, `init_app` or anywhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite, Where
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.descriptors import get_setter
from flasync.toolkit.interpreter.live_functions import get_getter
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.trees import read_facts
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    ClassRef,
    Function,
    Instance,
    Live,
    Named,
    SourceClass,
    Value,
    Values,
    join,
    widen,
)

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


class StoredAttributes(Part):
    """Remembers assignments to attributes, and finds those that were not walked yet."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._stored: dict[str, dict[Value, Values]] = {}
        self._assigners = IdentityMemo(self._list_live_assigners)
        self._searched: set[tuple[Any, str]] = set()

    def assign(self, receivers: Values, name: str, values: Values, spot: Spot) -> None:
        """Remember what an attribute is given, and note the setter that runs for it."""
        self.store(receivers, name, values)
        for receiver in receivers:
            cls = members.get_class(receiver)
            found = members.find_in_class(cls, name) if cls is not None else None
            setter = get_setter(found[0]) if found is not None else None
            if setter is not None and self._evaluator.ownership.is_own_function(Live(setter)):
                is_method = is_a(found[0] if found else None, property)
                given = Arguments([values] if is_method else [(receiver,), values])
                owner = receiver if is_method or found is None else Live(found[0])
                self._evaluator.calls.call_function(
                    Live(setter), owner, given, spot.site, Where.HERE
                )

    def store(self, receivers: Values, name: str, values: Values) -> None:
        """Remember what an attribute is given."""
        for receiver in receivers:
            cls = members.find_class(receiver)
            if cls is not None and values:
                stored = self._stored.setdefault(name, {})
                key = members.to_value(cls)
                stored[key] = join(stored.get(key, UNKNOWN), widen(values))

    def get(self, cls: ClassRef, name: str) -> Values:
        """Return what the code gives an attribute of the objects of a class."""
        stored = self._stored.get(name)
        return stored.get(members.to_value(cls), UNKNOWN) if stored else UNKNOWN

    def get_inherited(self, cls: ClassRef, name: str) -> Values:
        """Return the same for a class and its bases."""
        if name not in self._stored:  # as nearly always
            return UNKNOWN
        return join(*(self.get(base, name) for base in members.list_classes(cls)))

    def find_assignments(self, cls: ClassRef, name: str) -> None:
        """Walk the methods of a class that give its objects an attribute, once."""
        # By `id`: its metaclass may hash in its own way. `_assigners` keeps the class.
        key = (id(cls) if is_a(cls, type) else cls, name)
        if key in self._searched:
            return
        self._searched.add(key)
        for base in members.list_classes(cls):
            for function in self._list_assigners(base, name):
                site = CallSite(ast.Pass(), Place("", 1), "")
                bound = Bound(Instance(cls), "", (function,))
                self._evaluator.calls._call_unknown(
                    bound, Arguments(is_partial=True), site, Where.HERE
                )

    def _list_assigners(self, cls: ClassRef, name: str) -> Iterator[Value]:
        if isinstance(cls, SourceClass):
            for values in cls.members.values():
                for value in values:
                    if isinstance(value, Function) and name in read_facts(value.tree).assigned:
                        yield value
        elif not isinstance(cls, Named):
            yield from self._assigners.get(cls).get(name, ())

    def _list_live_assigners(self, cls: type) -> dict[str, list[Value]]:
        """Return, by attribute, the functions of a live class itself that give it to an object."""
        found: dict[str, list[Value]] = {}
        is_own = self._evaluator.ownership.is_own_class(cls)
        for member in list(members.get_members(cls).values()) if is_own else ():
            function = get_getter(member) or member
            if is_a(function, FunctionType):
                _, tree = self._evaluator.ownership.find_source(function)
                for name in read_facts(tree).assigned if tree is not None else ():
                    found.setdefault(name, []).append(Live(function))
        return found
