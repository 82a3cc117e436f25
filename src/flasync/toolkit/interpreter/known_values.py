"""What the knowledge says of the value at hand: a function, a class, a method of an object."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.members import MISSING, is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    ClassRef,
    Live,
    Named,
    SourceClass,
    Value,
    Values,
    is_constant,
)
from flasync.toolkit.knowledge.lookup import Entry

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


class KnownValues(Part):
    """Finds what the knowledge says of values; each method of a class is looked up once."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        # With the class, as an `id` is another object's once its own is gone.
        self._entries: dict[tuple[Any, str], tuple[ClassRef, tuple[str, Entry] | None]] = {}

    def find(self, callee: Value) -> tuple[str, Entry] | None:
        """Return what the knowledge says of a callable, and the name under which."""
        if isinstance(callee, Named):
            entry = self._evaluator.knowledge.find(callee.name)
            return (callee.name, entry) if entry is not None else None
        if isinstance(callee, Bound):
            return self._find_method(callee)
        if isinstance(callee, Live) and not is_constant(callee):
            if is_a(callee.obj, FunctionType) and self._evaluator.sources.is_own(
                callee.obj.__code__.co_filename
            ):
                return None
            for name in self._evaluator.knowledge.list_names(callee.obj):
                entry = self._evaluator.knowledge.find(name)
                if entry is not None:
                    return name, entry
        return None

    def _find_method(self, method: Bound) -> tuple[str, Entry] | None:
        cls = members.find_class(method.receiver)
        if cls is None:
            return None
        # By `id`: the metaclass of a class of the app may hash in its own way.
        key = (id(cls) if is_a(cls, type) else cls, method.name)
        found = self._entries.get(key)
        if found is None:
            found = self._entries[key] = (cls, self._search(cls, method.name))
        return found[1]

    def _search(self, cls: ClassRef, name: str) -> tuple[str, Entry] | None:
        for base in members.list_classes(cls):
            if isinstance(base, SourceClass):
                if name in base.members:
                    return None
                continue
            if isinstance(base, Named):
                names: tuple[str, ...] = (base.name,)
            else:
                if self._evaluator.ownership.is_own_class(base) and name in members.get_members(
                    base
                ):
                    return None
                names = self._evaluator.knowledge.list_names(base)
            for class_name in names:
                entry = self._evaluator.knowledge.find(f"{class_name}.{name}")
                if entry is not None:
                    return f"{class_name}.{name}", entry
        return None

    def is_excused(
        self, conditions: Iterable[str], arguments: Arguments, receiver: Value | None
    ) -> bool:
        """Return whether a call is made in a way in which it does not wait."""
        for condition in conditions:
            key, _, text = condition.partition("=")
            literal = ast.literal_eval(text)
            start, _, path = key.partition(".")
            if start == "config" and path:
                config = self._evaluator.app.config if self._evaluator.app is not None else {}
                given = [config.get(path)]
            elif start == "self" and path:
                owner = receiver.obj if isinstance(receiver, Live) else MISSING
                given = [members.get_path(owner, path) if owner is not MISSING else MISSING]
            else:
                values = arguments.get(key) or UNKNOWN
                given = [value.obj for value in values if isinstance(value, Live)]
            if any(type(value) is type(literal) and value == literal for value in given):
                return True
        return False

    def find_objects(self, name: str) -> Values:
        """Return a library's own global by its last name, as templates get some of them."""
        return tuple(Live(obj) for obj in self._evaluator.knowledge.find_objects(name))
