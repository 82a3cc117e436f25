"""What happens to values without a call in the text: proxies, iteration, `with`, `in`, `x[…]`."""

from __future__ import annotations

import functools
from types import (
    BuiltinFunctionType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from werkzeug.local import LocalProxy

from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.values import (
    CONSTANTS,
    MAX_ALTERNATIVES,
    UNKNOWN,
    Arguments,
    Bound,
    Instance,
    Live,
    Record,
    Row,
    Value,
    Values,
    is_constant,
    join,
)

# What is neither a proxy nor an object of a library whose use is known.
_ORDINARY_TYPES = (
    *CONSTANTS,
    *(BuiltinFunctionType, FunctionType, MethodType, MethodDescriptorType, WrapperDescriptorType),
    *(ModuleType, functools.partial, property, type),
    *(list, tuple, dict, set, frozenset),
)
# Whose iteration runs nothing.
_PLAIN_CONTAINERS = (list, tuple, dict, set, str, bytes, GeneratorType)


class Operations(Part):
    """Resolves operations that are not calls."""

    def use(self, values: Values, spot: Spot) -> Values:
        """Return what values are once they are used: what stands behind a proxy.

        A proxy must not be asked anything, `isinstance` included: it would ask the app's code.
        """
        if not may_be_proxies(values):
            return values
        return join(*(self._use_value(value, spot) for value in values))

    def _use_value(self, value: Value, spot: Spot) -> Values:
        if not isinstance(value, Live) or not _is_global_object(value.obj):
            return (value,)
        for name in self._evaluator.knowledge.list_names(value.obj):
            entry = self._evaluator.knowledge.find(name)
            if entry is not None and entry.used is not None:
                return self._evaluator.effects.run_used(entry.used, spot.site)
            if entry is not None and entry.returns is not None:
                return self._evaluator.types.read(
                    entry.returns.type, UNKNOWN, Arguments(), self.get_items
                )
        if issubclass(type(value.obj), LocalProxy):
            wrapped = object.__getattribute__(value.obj, "_LocalProxy__wrapped")
            return self._use_wrapped(wrapped, spot)
        return (value,)

    def _use_wrapped(self, wrapped: Any, spot: Spot) -> Values:
        """Return what a project's own proxy stands for, when it asks a function of the project."""
        if is_a(wrapped, FunctionType) and self._evaluator.ownership.leads_home(wrapped):
            return self._evaluator.calls.call(Live(wrapped), Arguments(), spot.site)
        return UNKNOWN

    def operate(self, receivers: Values, method: str, spot: Spot) -> Values:
        """Return what an operator or a subscript gives, and note what its method runs."""
        found: list[Values] = []
        for receiver in receivers:
            cls = members.get_class(receiver)
            if cls is None:
                continue
            member = members.find_in_class(cls, method)
            functions: Values = UNKNOWN
            if member is not None:
                functions = members.to_values(member[0])
            bound = Bound(receiver, method, functions)
            is_own = self._evaluator.ownership.is_own_function(bound)
            if is_own or self._evaluator.known.find(bound) is not None:
                found.append(
                    self._evaluator.calls.call(bound, Arguments(is_partial=True), spot.site)
                )
            elif functions and isinstance(functions[0], Live):
                found.append(self._evaluator.calls.read_returns(functions[0].obj, receiver))
        return join(*found)

    def iterate(self, values: Values, spot: Spot) -> Values:
        """Return what iterating gives, and note what it runs."""
        return join(self.iterate_at(values, spot), self.get_items(values))

    def iterate_at(self, values: Values, spot: Spot) -> Values:
        """Return what the `__iter__` methods of values give, as far as any is walked or known."""
        found: list[Values] = []
        for value in values:
            for method in ("__iter__", "__aiter__"):
                cls = members.get_class(value)
                if cls is None or _is_one_of(cls, _PLAIN_CONTAINERS):
                    continue
                member = members.find_in_class(cls, method)
                if member is None:
                    continue
                functions = members.to_values(member[0])
                bound = Bound(value, method, functions)
                own = self._evaluator.ownership.is_own_function(bound)
                if self._evaluator.known.find(bound) is not None or own:
                    given = self._evaluator.calls.call(bound, Arguments(), spot.site)
                    found.append(self.get_items(given))
                    if own:  # it gives an iterator, which may be the project's own too
                        found.append(self.operate(given, "__next__", spot))
        return join(*found)

    def enter(self, managers: Values, spot: Spot) -> Values:
        """Return what `with` gives, and note what entering and leaving runs."""
        found: list[Values] = []
        for manager in managers:
            if isinstance(manager, Instance) and manager.cls is GeneratorType:
                found.append(manager.items)
                continue
            entered = self.operate((manager,), "__enter__", spot)
            entered = join(entered, self.operate((manager,), "__aenter__", spot))
            self.operate((manager,), "__exit__", spot)
            found.append(entered or (manager,))
        return join(*found)

    def read_item(self, receivers: Values, keys: Values, spot: Spot) -> Values:
        """Return what a subscript may give."""
        found: list[Values] = []
        for receiver in receivers:
            if isinstance(receiver, Record):
                found.append(_read_record(receiver, keys))
            elif isinstance(receiver, Instance) and _is_one_of(receiver.cls, (list, tuple, dict)):
                found.append(receiver.items)
            elif isinstance(receiver, Live) and is_a(receiver.obj, list, tuple, dict):
                given = self.operate((receiver,), "__getitem__", spot)
                found.append(given or _read_live_item(receiver.obj, keys))
            elif isinstance(receiver, Live) and is_a(receiver.obj, type):
                found.append((receiver,))
            else:
                given = self.operate((receiver,), "__getitem__", spot)
                items = receiver.items if isinstance(receiver, Instance) else UNKNOWN
                found.append(given or items)
        return join(*found)

    def get_items(self, values: Values) -> Values:
        """Return what iterating over values gives, as far as that runs nothing."""
        found: list[Values] = []
        for value in values:
            if isinstance(value, Instance):
                found.append(value.items)
            elif isinstance(value, Record):
                found.append(join(*(item for _, item in value.keys), value.others))
            elif isinstance(value, Live) and is_a(value.obj, list, tuple, set, frozenset):
                found.append(tuple(map(Live, _list_items(value.obj))))
        return join(*found)

    def unpack(self, values: Values, position: int) -> Values:
        """Return what the target at a position of an unpacking is given."""
        found: list[Values] = []
        for value in values:
            if isinstance(value, Row):
                found.append(value.places[position] if position < len(value.places) else UNKNOWN)
            elif isinstance(value, Live) and is_a(value.obj, list, tuple):
                items = _list_items(value.obj)
                found.append((Live(items[position]),) if position < len(items) else UNKNOWN)
            else:
                found.append(self.get_items((value,)))
        return join(*found)

    def instantiate(self, classes: Values) -> Values:
        """Return an object of each class among values."""
        found: list[Values] = []
        for value in classes:
            if isinstance(value, Live) and is_a(value.obj, tuple):
                found.append(self.instantiate(tuple(map(Live, _list_items(value.obj)))))
            cls = members.to_class(value)
            if cls is not None:
                found.append((Instance(cls),))
            elif isinstance(value, Instance) and value.cls is tuple:
                found.append(self.instantiate(value.items))
        return join(*found)

    def get_types(self, values: Values) -> Values:
        """Return the classes of values."""
        classes = (members.get_class(value) for value in values)
        return tuple(members.to_value(cls) for cls in classes if cls is not None)


def _list_items(container: Any) -> list[Any]:
    """Return what a list, tuple, set or dict holds, whatever a class of the app makes of it."""
    if is_a(container, dict):
        return list(dict.values(container))
    plain = next(cls for cls in (list, tuple, set, frozenset) if is_a(container, cls))
    return list(plain.__iter__(container))


def _is_one_of(cls: Any, classes: tuple[type, ...]) -> bool:
    """Return whether a class is one of several, without asking its metaclass to compare."""
    return any(cls is one for one in classes)


def may_be_proxies(values: Values) -> bool:
    """Return whether any of several values may be a proxy, or a known object of a library."""
    for value in values:  # a loop, as this is asked of every name
        if type(value) is Live and _is_global_object(value.obj):
            return True
    return False


def _is_global_object(obj: Any) -> bool:
    """Return whether something may be a proxy, or a known object of a library."""
    return not issubclass(type(obj), _ORDINARY_TYPES)


def _read_record(record: Record, keys: Values) -> Values:
    wanted = {value.obj for value in keys if isinstance(value, Live) and is_constant(value)}
    exact = [values for key, values in record.keys if key in wanted]
    return join(*exact) if exact else join(*(v for _, v in record.keys), record.others)


def _read_live_item(container: Any, keys: Values) -> Values:
    """Return an item of a list, tuple or dict, read as the plain one that it derives from."""
    names = [
        key.obj for key in keys if isinstance(key, Live) and _is_one_of(type(key.obj), (str, int))
    ]
    if names and is_a(container, dict):
        found = [
            dict.__getitem__(container, name)
            for name in names
            if dict.__contains__(container, name)
        ]
        return join(tuple(map(Live, found)))
    items = _list_items(container)
    if names:
        places = [name for name in names if type(name) is int]
        return join(tuple(Live(items[it]) for it in places if -len(items) <= it < len(items)))
    return join(tuple(map(Live, items[:MAX_ALTERNATIVES])))
