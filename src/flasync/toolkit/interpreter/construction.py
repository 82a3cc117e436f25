"""Making objects: the constructors that run, and the object that comes of it."""

from __future__ import annotations

import functools

from flasync.toolkit.graph import CallSite, Where
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    ClassRef,
    Function,
    Instance,
    Live,
    Partial,
    Value,
    Values,
)
from flasync.toolkit.knowledge.lookup import Entry


class Construction(Part):
    """Makes `Instance` values of classes."""

    def construct(
        self, callee: Value, arguments: Arguments, site: CallSite, where: Where
    ) -> Values:
        """Make an object: run the project's `__init__`, or what the knowledge says of the class."""
        if callee == Live(functools.partial) and arguments.positional:
            function, *positional = arguments.positional
            keywords = tuple(arguments.keywords.items())
            return tuple(Partial(value, tuple(positional), keywords) for value in function)
        cls = members.to_class(callee)
        if cls is None:
            return UNKNOWN
        made = Instance(cls, self._guess_items(cls, arguments), is_new=True)
        if isinstance(cls, type):
            site.add_names(*self._evaluator.knowledge.list_names(cls)[:1])
        for name in ("__init__", "__new__", "__post_init__"):
            found = members.find_in_class(cls, name)
            if found is None:
                continue
            member, holder = found
            base_known = self._find_base_entry(cls, holder)
            if base_known is not None:
                self._evaluator.effects.apply(*base_known, callee, arguments, site, where)
            if is_a(member, staticmethod):
                member = member.__func__  # `__new__`
            candidates: Values = members.to_values(member)
            for candidate in candidates:
                if isinstance(candidate, Function) or self._evaluator.ownership.is_own_function(
                    candidate
                ):
                    receiver = callee if name == "__new__" else made
                    self._evaluator.calls.call_function(candidate, receiver, arguments, site, where)
        return (made,)

    def _find_base_entry(self, cls: ClassRef, holder: ClassRef) -> tuple[str, Entry] | None:
        """Return what is known of making an object of a base class whose constructor is used."""
        for base in members.list_classes(cls):
            if base is not cls:
                known = self._evaluator.known.find(members.to_value(base))
                if known is not None and known[1].blocking is not None:
                    return known
            if base is holder:
                return None
        return None

    def _guess_items(self, cls: ClassRef, arguments: Arguments) -> Values:
        containers = (list, tuple, set, frozenset)
        if any(cls is one for one in containers) and arguments.positional:
            return self._evaluator.operations.get_items(arguments.positional[0])
        return UNKNOWN
