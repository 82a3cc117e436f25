"""Reading attributes of values, as Python looks them up and without running anything."""

from __future__ import annotations

import sys
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

from flasync.toolkit.graph import Where
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.interpreter import descriptors, members
from flasync.toolkit.interpreter.annotations import read_annotation
from flasync.toolkit.interpreter.members import MISSING, is_a
from flasync.toolkit.interpreter.operations import may_be_proxies
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.trees import list_decorator_names
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    ClassRef,
    Function,
    Instance,
    Live,
    Named,
    Partial,
    Record,
    SourceClass,
    SourceModule,
    Super,
    Value,
    Values,
    join,
    list_live,
)
from flasync.toolkit.knowledge.lookup import Entry

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator

# What a class may hold as a method, its own or one written in C.
_METHOD_TYPES = (
    *(BuiltinFunctionType, ClassMethodDescriptorType, FunctionType, MethodDescriptorType),
    *(MethodType, WrapperDescriptorType, classmethod, staticmethod),
)


# Their methods are what they are, and nothing is stored on their objects.
_BUILT_IN = frozenset(map(id, (bytes, dict, float, frozenset, int, list, set, str, tuple)))


class Attributes(Part):
    """Looks up attributes on values of any sort."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._annotations = IdentityMemo(_collect_annotations)
        self._delegates = IdentityMemo(self._list_delegates)

    def read(self, receivers: Values, name: str, spot: Spot) -> Values:
        """Return what an attribute of several alternatives may be."""
        found: list[Values] = []
        for receiver in receivers:
            values = self.read_one(receiver, name, spot)
            is_used = may_be_proxies(values)
            found.append(self._evaluator.operations.use(values, spot) if is_used else values)
        return join(*found)

    def read_one(self, receiver: Value, name: str, spot: Spot) -> Values:
        """Return what an attribute of one value may be; a proxy is not looked through."""
        if type(receiver) is Instance:  # as most are
            return self._read_from_object(receiver, name, spot)
        match receiver:
            case Live(obj=module) if is_a(module, ModuleType):
                return members.find_in_module(module, name)
            case SourceModule(scope=scope):
                return scope.names.get(name, UNKNOWN)
            case Named(dotted):
                return (Named(f"{dotted}.{name}"),)
            case Super(inner, after):
                return self._read_super(inner, after, name)
            case Record():
                return (Bound(receiver, name, ()),)
            case Live(obj=obj) if is_a(obj, type):
                return self._read_from_class(receiver, name, spot)
            case SourceClass():
                return self._read_from_class(receiver, name, spot)
            case Function() | Bound() | Partial():
                return UNKNOWN
            case _:
                return self._read_from_object(receiver, name, spot)

    def _read_super(self, receiver: Value, after: ClassRef, name: str) -> Values:
        cls = members.find_class(receiver)
        classes = members.list_classes(cls) if cls is not None else []
        later = classes[classes.index(after) + 1 :] if after in classes else classes
        for base in later:
            if isinstance(base, Named):
                return (Bound(Instance(base), name, ()),)
            found = members.find_in_class(base, name)
            if found is not None and found[1] is base:
                is_own = not isinstance(base, type) or self._evaluator.ownership.is_own_class(base)
                # What is known of a library's method is found along the library's own class.
                owner = receiver if is_own else Instance(base)
                return self._bind_member(found[0], owner, name)
        return UNKNOWN

    def _bind_member(self, member: Any, receiver: Value, name: str) -> Values:
        if is_a(member, tuple):
            return tuple(Bound(receiver, name, (value,)) for value in member)
        if is_a(member, staticmethod):
            return (Live(member.__func__),)
        if is_a(member, classmethod):
            return (Bound(receiver, name, (Live(member.__func__),)),)
        return (Bound(receiver, name, (Live(member),)),)

    def _read_from_class(self, receiver: Value, name: str, spot: Spot) -> Values:
        cls = members.to_class(receiver)
        if cls is None:
            return UNKNOWN
        found = members.find_in_class(cls, name)
        if found is None:
            stored = self._evaluator.stored.get(cls, name)
            known = self._evaluator.known.find(Bound(receiver, name, ()))
            if not stored and known is not None and known[1].returns and not known[1].blocking:
                return self._read_known(known[1], receiver)
            return stored or (Bound(receiver, name, ()),)
        member, _ = found
        if is_a(member, tuple):
            return self._read_source_member(member, receiver, name)
        if is_a(member, classmethod, staticmethod):
            return self._bind_member(member, receiver, name)
        if hasattr(type(member), "__get__") and not is_a(member, *_METHOD_TYPES, type):
            described = self._evaluator.descriptors.read(
                member, receiver, name, spot, of_class=True
            )
            if described is not None:
                return described
        return (Live(member),)

    def _read_source_member(self, member: Values, receiver: Value, name: str) -> Values:
        """Read a member of a class known from source: a function is bound as its decorators say."""
        is_class = members.to_class(receiver) is not None
        found: list[Value] = []
        for value in member:
            if not isinstance(value, Function):
                found.append(value)
                continue
            marks = list_decorator_names(value.tree)
            if "staticmethod" in marks or (is_class and "classmethod" not in marks):
                found.append(value)
            else:
                found.append(Bound(receiver, name, (value,)))
        return tuple(found)

    def _read_from_object(self, receiver: Value, name: str, spot: Spot) -> Values:
        cls = members.get_class(receiver)
        if cls is None:
            return UNKNOWN
        found = members.find_in_class(cls, name)
        if found is not None and type(found[0]) is MethodDescriptorType and id(cls) in _BUILT_IN:
            return (Bound(receiver, name, (Live(found[0]),)),)  # half of the attributes of any code
        if found is not None and descriptors.is_data_descriptor(found[0]):
            described = self._evaluator.descriptors.read(found[0], receiver, name, spot)
            if described is not None:
                return described
        own = self._read_own(receiver, cls, name)
        if own:
            return own
        if found is None:
            return self._read_absent(receiver, cls, name, spot)
        member, _ = found
        if is_a(member, tuple):
            return self._read_property(member, receiver, name, spot)
        if is_a(member, *_METHOD_TYPES):
            owner = members.to_value(cls) if is_a(member, classmethod) else receiver
            return self._bind_member(member, owner, name)
        if hasattr(type(member), "__get__"):
            described = self._evaluator.descriptors.read(member, receiver, name, spot)
            return described if described is not None else (Bound(receiver, name, (Live(member),)),)
        described = self._evaluator.descriptors.read_known(member, receiver, spot)
        if described is not None:
            return described
        known = self._evaluator.known.find(Bound(receiver, name, ()))
        if known is not None and known[1].returns is not None:
            return self._read_known(known[1], receiver)
        return (Live(member),) if member is not None else self._read_annotated(cls, name)

    def _read_property(self, member: Values, receiver: Value, name: str, spot: Spot) -> Values:
        """Read a member of a class known from source through an object."""
        for value in member:
            if isinstance(value, Function):
                marks = list_decorator_names(value.tree)
                if marks & {"property", "cached_property", "hybrid_property"}:
                    return self._evaluator.calls.call_function(
                        value, receiver, Arguments(), spot.site, Where.HERE
                    )
        return self._read_source_member(member, receiver, name)

    def _read_own(self, receiver: Value, cls: ClassRef, name: str) -> Values:
        """Read what an object holds itself: what it has now, and what its methods give it."""
        if isinstance(receiver, Live):
            value = members.find_in_instance(receiver.obj, name)
            if value is not MISSING and value is not None:
                return (Live(value),)
        self._evaluator.stored.find_assignments(cls, name)
        return self._evaluator.stored.get_inherited(cls, name)

    def _read_absent(self, receiver: Value, cls: ClassRef, name: str, spot: Spot) -> Values:
        entry = self._evaluator.known.find(Bound(receiver, name, ()))
        dynamic = members.find_in_class(cls, "__getattr__")
        if entry is not None and entry[1].returns is not None and entry[1].blocking is None:
            # What objects that answer any name are said to return is the result of a method.
            if dynamic is None or entry[1].returns.type.startswith("class "):
                return self._read_known(entry[1], receiver)
        annotated = self._read_annotated(cls, name) or self._read_delegated(cls, name)
        if annotated:
            return annotated
        if dynamic is not None and not name.startswith("__"):
            member = dynamic[0]
            functions = members.to_values(member)
            bound = Bound(receiver, "__getattr__", functions)
            if self._evaluator.ownership.is_own_function(bound):
                return self._evaluator.calls.call(bound, Arguments(is_partial=True), spot.site)
            if entry is None and is_a(member, FunctionType):
                found = self._apply_returns(bound)
                if found:
                    return found
        return (Bound(receiver, name, ()),)

    def _read_known(self, entry: Entry, receiver: Value) -> Values:
        """Return what the knowledge says that an attribute is."""
        expression = entry.returns.type if entry.returns is not None else ""
        items = self._evaluator.operations.get_items
        return self._evaluator.types.read(expression, (receiver,), Arguments(), items)

    def _read_delegated(self, cls: ClassRef, name: str) -> Values:
        """Read what objects of a class pass on to modules."""
        for base in members.list_classes(cls) if not is_a(cls, type) else (cls,):
            for module_name in self._delegates.get(base) if isinstance(base, type) else ():
                module = sys.modules.get(module_name)
                if module is not None and name in vars(module):
                    return (Live(vars(module)[name]),)
        return UNKNOWN

    def _list_delegates(self, cls: type) -> tuple[str, ...]:
        """Return the names of the modules to which objects of a live class pass things on."""
        knowledge = self._evaluator.knowledge
        names = (n for base in members.list_classes(cls) for n in knowledge.list_names(base))
        return tuple(module for name in names for module in knowledge.delegates.get(name, ()))

    def _apply_returns(self, callee: Bound) -> Values:
        known = self._evaluator.known.find(callee)
        if known is not None and known[1].returns is not None:
            return self._read_known(known[1], callee.receiver)
        found = [
            self._evaluator.calls.read_returns(value.obj, callee.receiver)
            for value in list_live(callee)
        ]
        return join(*found)

    def _read_annotated(self, cls: ClassRef, name: str) -> Values:
        for base in members.list_classes(cls) if not is_a(cls, type) else (cls,):
            found = self._annotations.get(base).get(name) if isinstance(base, type) else None
            if found is not None:
                annotation, owner = found
                module = sys.modules.get(members.get_module(owner))
                return read_annotation(annotation, vars(module) if module else {})
        return UNKNOWN


def _collect_annotations(cls: type) -> dict[str, tuple[Any, type]]:
    """Return the annotations of a live class, its bases included, and which class has each."""
    found: dict[str, tuple[Any, type]] = {}
    for base in members.list_classes(cls):
        for name, annotation in members.get_annotations(base).items():
            if annotation is not None and isinstance(base, type):
                found.setdefault(name, (annotation, base))
    return found
