"""Reading through descriptors: properties, relationships of models, typed `__get__` methods."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.graph import BlockingCall, Where
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.live_functions import get_getter
from flasync.toolkit.interpreter.members import MISSING, is_a, name_class
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    Instance,
    Live,
    Value,
    Values,
)
from flasync.toolkit.knowledge import AttributeRead

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


class Descriptors(Part):
    """Reads what a descriptor gives."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._known = IdentityMemo(self._list_known)
        self._reads = IdentityMemo(self._find_read)

    def read(
        self,
        member: Any,
        receiver: Value,
        name: str,
        spot: Spot,
        *,
        of_class: bool = False,
    ) -> Values | None:
        """Read through a descriptor; None when nothing is known of what it gives."""
        if not of_class:
            known = self._evaluator.known.find(Bound(receiver, name, ()))
            if known is not None and known[1].blocking is not None:
                site = spot.site
                self._evaluator.effects.apply(
                    *known, Bound(receiver, name, ()), Arguments(), site, Where.HERE
                )
            if known is not None and known[1].returns is not None:
                return self._evaluator.attributes._read_known(known[1], receiver)
            found = self.read_known(member, receiver, spot)
            if found is not None:
                return found
            getter = get_getter(member)
            if getter is not None:
                return self._read_getter(getter, receiver, spot)
        return self._read_through_get(member, receiver, spot)

    def _read_getter(self, getter: Any, receiver: Value, spot: Spot) -> Values:
        if not is_a(getter, FunctionType):
            return UNKNOWN
        if self._evaluator.ownership.leads_home(getter):
            site = spot.site
            return self._evaluator.calls.call_function(
                Live(getter), receiver, Arguments(), site, Where.HERE
            )
        return self._evaluator.calls.read_returns(getter, receiver)

    def read_known(self, member: Any, receiver: Value, spot: Spot) -> Values | None:
        """Read what the knowledge says of the class of a descriptor; None without an entry."""
        known, values = self._reads.get(member)
        if known is None:
            return None
        is_new = isinstance(receiver, Instance) and receiver.is_new
        if known.kind is not None and not is_new:
            site = spot.site
            owner = name_class(receiver)
            key = getattr(member, "key", "")
            site.blocking = site.blocking or BlockingCall(f"{owner}.{key}", known)
        return values

    def _find_read(self, member: Any) -> tuple[AttributeRead | None, Values]:
        """Return the entry of the knowledge that a descriptor fits, and what reading it gives."""
        for known in self._known.get(type(member)):
            if not all(
                str(members.get_path(member, path)) in values
                for path, values in known.where.items()
            ):
                continue
            cls = members.get_path(member, known.value) if known.value else MISSING
            items: Values = (Instance(cls),) if isinstance(cls, type) else UNKNOWN
            if not known.many or not members.get_path(member, known.many):
                return known, items
            holder = self._evaluator.types.find_class(known.type) if known.type else list
            return known, (Instance(holder, items),)
        return None, UNKNOWN

    def _list_known(self, cls: type) -> tuple[AttributeRead, ...]:
        """Return what the knowledge says of descriptors of a class, that of itself first."""
        knowledge = self._evaluator.knowledge
        names = (name for base in cls.__mro__ for name in knowledge.list_names(base))
        return tuple(read for name in names for read in knowledge.attributes.get(name, ()))

    def _read_through_get(self, member: Any, receiver: Value, spot: Spot) -> Values | None:
        cls = type(member)
        known = self._evaluator.known.find(Bound(Live(member), "__get__", ()))
        owner = members.find_class(receiver)
        if known is not None and known[1].returns is not None and owner is not None:
            expression = known[1].returns.type
            return self._evaluator.types.read(
                expression, (Instance(owner),), Arguments(), self._evaluator.operations.get_items
            )
        getter = members.find_in_class(cls, "__get__")
        if getter is not None and self._evaluator.ownership.is_own_function(Live(getter[0])):
            bound = Bound(Live(member), "__get__", (Live(getter[0]),))
            return self._evaluator.calls.call(bound, Arguments([(receiver,)]), spot.site)
        if getter is None or not is_a(getter[0], FunctionType):
            return None
        return self._evaluator.calls.read_returns(getter[0], Live(member)) or None


def get_setter(member: Any) -> Any:
    """Return the function that assigning to an attribute runs, or None."""
    if is_a(member, property):
        return member.fset
    return getattr(type(member), "__set__", None) if not is_a(member, tuple) else None


def is_data_descriptor(member: Any) -> bool:
    """Return whether a member of a class goes before what the object itself holds."""
    return not is_a(member, tuple) and hasattr(type(member), "__set__")
