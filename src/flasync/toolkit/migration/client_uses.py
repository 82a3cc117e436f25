"""What a client is used for, as recipes ask it: each use with its kind, its name and its place."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.parsed_file import ParsedFile


class Kind(enum.Enum):
    """What a use does with the client."""

    ATTRIBUTE = enum.auto()
    """An attribute or method is taken from it."""
    SET = enum.auto()
    """An attribute is set on it."""
    WITH = enum.auto()
    """It is entered in a `with` statement."""
    ITEM = enum.auto()
    """It is subscripted."""
    ITERATED = enum.auto()
    """It is iterated over."""
    PASSED = enum.auto()
    """It is given to code that is not the project's."""
    LOST = enum.auto()
    """It goes where nobody can follow it."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use.

    Attributes:
        kind: What it does.
        name: The attribute, or what it is passed to, as written.
        file: The file that it is in.
        node: The expression that is the client there.
    """

    kind: Kind
    name: str
    file: ParsedFile
    node: cst.CSTNode

    @property
    def place(self) -> Place:
        """Where."""
        return self.file.locate(self.node).place


@dataclass(frozen=True, slots=True)
class ClientUses:
    """All uses of a client.

    Attributes:
        uses: Those that were found, in no certain order.
        is_kept: Whether it lives longer than a request: in a module, a class, an object.
    """

    uses: tuple[Use, ...]
    is_kept: bool

    def find(self, *kinds: Kind, besides: Iterable[str] = ()) -> Use | None:
        """Return the first use of some kinds whose name is not one of `besides`."""
        allowed = frozenset(besides)
        found = (use for use in self.uses if use.kind in kinds and use.name not in allowed)
        return next(found, None)

    def list_calls(self, *names: str) -> Iterator[tuple[ParsedFile, cst.Call]]:
        """Yield the calls of methods of the client."""
        for use in self.uses:
            if use.kind is Kind.ATTRIBUTE and use.name in names:
                attribute = use.file.get_parent(use.node)
                call = use.file.get_parent(attribute) if attribute is not None else None
                if isinstance(call, cst.Call) and call.func is attribute:
                    yield use.file, call
