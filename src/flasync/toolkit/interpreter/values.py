"""What a name may stand for while a scan walks through code: abstract values.

A scan of an imported app has the real objects at hand, so most values are `Live`: the module
`requests`, the function behind a decorator, the object `db`. What a function makes while it runs
does not exist yet and is an `Instance` of its class, a `Function` defined inside another, a
`Mapping` with known keys. What stands for anything at all is the empty tuple of values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeAlias

from flasync.toolkit.sources import FunctionTree, SourceFile

# More alternatives than these tell nothing of one another; a dispatch table may have some.
MAX_ALTERNATIVES = 64


# The values below are never changed. That is not enforced: a scan makes half a million of them, and
# a frozen dataclass takes three times as long to make.
@dataclass(slots=True)
class Live:
    """A real object of the running app; equal only to the very same object."""

    obj: Any

    def __eq__(self, other: object) -> bool:
        """Compare by identity: comparing the app's objects would run its code."""
        return isinstance(other, Live) and self.obj is other.obj

    def __hash__(self) -> int:
        return id(self.obj)


@dataclass(frozen=True, slots=True)
class Named:
    """Something in a module that is not imported, known by its dotted name alone."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class SourceClass:
    """A class known from its source alone: made inside a function, or not imported.

    Attributes:
        tree: Its definition.
        scope: Where it was defined.
        bases: What its bases are, each.
        members: What its body defines.
        name: Its qualified name.
    """

    tree: ast.ClassDef
    scope: Scope
    bases: tuple[Values, ...]
    members: dict[str, Values]
    name: str


ClassRef: TypeAlias = "type | SourceClass | Named"


@dataclass(slots=True)
class Instance:
    """An object that the code makes when it runs.

    Attributes:
        cls: Its class.
        items: What iterating over it gives, or what its rows, elements or results are.
        is_new: Whether the function at hand has made it.
    """

    cls: ClassRef
    items: Values = ()
    is_new: bool = False

    def __eq__(self, other: object) -> bool:
        """Compare without asking the metaclass of a class of the app."""
        return (
            isinstance(other, Instance)
            and (self.cls is other.cls or (isinstance(self.cls, Named) and self.cls == other.cls))
            and self.items == other.items
            and self.is_new == other.is_new
            and self._get_places() == other._get_places()
        )

    def __hash__(self) -> int:
        # The items are left out: they nest, and most objects differ by their class already.
        key = hash(self.cls) if isinstance(self.cls, Named) else id(self.cls)
        return key + len(self.items)

    def _get_places(self) -> tuple[Values, ...]:
        return ()


@dataclass(slots=True, eq=False)
class Row(Instance):
    """A tuple made by the code, of which each place is known."""

    places: tuple[Values, ...] = ()

    def _get_places(self) -> tuple[Values, ...]:
        return self.places


@dataclass(slots=True)
class Record:
    """A dictionary made by the code, as far as its keys are known."""

    keys: tuple[tuple[str, Values], ...]
    others: Values = ()

    def __hash__(self) -> int:
        # Of a key alone: what they hold nests, and most dictionaries differ by their first key.
        return hash(self.keys[0][0]) + len(self.keys) if self.keys else 0


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function known from its source: nested in another, or in a module not imported."""

    tree: FunctionTree
    source: SourceFile
    scope: Scope
    name: str
    owner: SourceClass | None = None


@dataclass(slots=True)
class Bound:
    """A method as read from an object: the object, the attribute's name, what is there.

    `functions` is empty when the class of the object is known and does not have the attribute,
    as with classes that answer any name.
    """

    receiver: Value
    name: str
    functions: Values = ()

    def __hash__(self) -> int:
        # What the functions are follows from the object and the name.
        return hash((self.name, self.receiver))


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial(function, …)` and what it was given."""

    function: Value
    positional: tuple[Values, ...]
    keywords: tuple[tuple[str, Values], ...]


@dataclass(frozen=True, slots=True)
class Super:
    """`super()` in a method: the object, and the class after which to look."""

    receiver: Value
    after: ClassRef


@dataclass(slots=True, eq=False)
class SourceModule:
    """A module of the project that is not imported, with its globals once it was walked."""

    name: str
    source: SourceFile
    scope: Scope


Value: TypeAlias = (
    Live
    | Named
    | Instance
    | Record
    | Function
    | Bound
    | Partial
    | Super
    | SourceClass
    | SourceModule
)
Values: TypeAlias = tuple[Value, ...]
UNKNOWN: Values = ()


@dataclass(slots=True, eq=False)
class Scope:
    """The names of one function under way, then of those around it, then the globals.

    Attributes:
        names: What the local names stand for so far.
        local_names: The names that the function assigns; they never mean the outer ones.
        outer: The scope of the function around it.
        namespace: The live globals of its module, or those of a `SourceModule`'s walk.
        module: The dotted name of its module.
    """

    names: dict[str, Values]
    local_names: frozenset[str] = frozenset()
    outer: Scope | None = None
    namespace: Mapping[str, Any] = field(default_factory=dict)
    module: str = ""


@dataclass(slots=True)
class Arguments:
    """What a call is given. `is_partial`: there is a `*` or `**` whose contents are unknown."""

    positional: list[Values] = field(default_factory=list)
    keywords: dict[str, Values] = field(default_factory=dict)
    is_partial: bool = False

    def get(self, key: str) -> Values | None:
        """Return an argument by its position ("0") or its name; None if it is not given."""
        if key.isdigit():
            position = int(key)
            return self.positional[position] if position < len(self.positional) else None
        return self.keywords.get(key)


def join(*alternatives: Iterable[Value]) -> Values:
    """Return all values of several, each once; without None, of which nothing can be asked."""
    present = [values for values in alternatives if values]
    if not present:
        return UNKNOWN
    first = present[0]
    if type(first) is tuple and len(first) == 1:
        if len(present) == 1 or present.count(first) == len(present):
            return first if not _is_none(first[0]) else UNKNOWN
    found: dict[Value, None] = {}
    for values in present:
        for value in values:
            if type(value) is not Live or value.obj is not None:
                found[value] = None
    return tuple(found)[:MAX_ALTERNATIVES]


def _is_none(value: Value) -> bool:
    return type(value) is Live and value.obj is None


CONSTANTS = (str, bytes, int, float, complex, bool, NoneType)
# Comparing a class would ask its metaclass.
_CONSTANT_IDS = frozenset(map(id, CONSTANTS))


def build_row(places: Iterable[Values]) -> Row:
    """Return a tuple of what is at each of its places."""
    known = tuple(places)
    return Row(tuple, join(*known), places=known)


def widen(values: Values) -> Values:
    """Return values as another function gets them: a constant counts as any of its type."""
    if len(values) == 1:
        wide = _widen_value(values[0])
        return UNKNOWN if _is_none(wide) else (wide,)
    return join(map(_widen_value, values))


def _widen_value(value: Value) -> Value:
    if isinstance(value, Live) and id(type(value.obj)) in _CONSTANT_IDS and value.obj is not None:
        return Instance(type(value.obj))
    if isinstance(value, Instance) and value.is_new and not isinstance(value, Row):
        return Instance(value.cls, value.items)
    return value


def is_constant(value: Value) -> bool:
    """Return whether a value is a number, a text, or the like."""
    return isinstance(value, Live) and id(type(value.obj)) in _CONSTANT_IDS


def list_live(callee: Value) -> Iterator[Live]:
    """Yield the live functions that a callable is."""
    if isinstance(callee, Live):
        yield callee
    elif isinstance(callee, Bound):
        yield from (value for value in callee.functions if isinstance(value, Live))
