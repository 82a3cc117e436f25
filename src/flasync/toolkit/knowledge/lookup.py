"""Finding what is known of a callable by its name, or by the object itself."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from flasync.errors import KnowledgeError
from flasync.toolkit.knowledge.library import (
    AttributeRead,
    Blocking,
    Decorator,
    Library,
    Returns,
    Runs,
    Template,
    UsedObject,
    parse_library,
)

_NAMED_TYPES = (
    type,
    FunctionType,
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    ClassMethodDescriptorType,
)
ENTRY_POINT_GROUP = "flasync.knowledge"


@dataclass(slots=True)
class Entry:
    """All that is known of one dotted name."""

    blocking: Blocking | None = None
    returns: Returns | None = None
    runs: Runs | None = None
    used: UsedObject | None = None
    decorator: Decorator | None = None
    template: Template | None = None

    def fill_from(self, other: Entry) -> None:
        """Take from another entry what is not known here."""
        for name in _SECTIONS:
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))


_SECTIONS = tuple(section.name for section in fields(Entry))


@dataclass(slots=True)
class _Wildcards:
    """What is known of any public member of one class or module."""

    entries: list[tuple[frozenset[str], Entry]] = field(default_factory=list)

    def list(self, member: str) -> list[Entry]:
        """Return what is known of one member, the latest first."""
        if member.startswith("_"):
            return []
        return [entry for excepted, entry in self.entries if member not in excepted]


class Knowledge:
    """What is known of the callables of many libraries.

    Args:
        libraries: Later ones win over earlier ones where both know a name.

    Attributes:
        libraries: The same, as a tuple.
        attributes: Descriptors whose reading is known, by the dotted name of their class.
        delegates: Modules to which objects pass on what they do not have, by the dotted name of
            their class.
    """

    def __init__(self, libraries: Iterable[Library]) -> None:
        self.libraries = tuple(libraries)
        self.attributes: dict[str, list[AttributeRead]] = {}
        self.delegates: dict[str, tuple[str, ...]] = {}
        self._entries: dict[str, Entry] = {}
        self._wildcards: dict[str, _Wildcards] = {}
        self._found: dict[str, Entry | None] = {}
        self._aliases: dict[int, tuple[str, ...]] = {}
        self._public: dict[str, tuple[str, ...]] = {}
        for library in self.libraries:
            self._add(library)

    def find(self, name: str) -> Entry | None:
        """Return what is known of a dotted name, or None."""
        if name not in self._found:
            self._found[name] = self._merge(name)
        return self._found[name]

    def _merge(self, name: str) -> Entry | None:
        owner, _, member = name.rpartition(".")
        wildcards = self._wildcards.get(owner)
        entries = wildcards.list(member) if wildcards is not None else []
        exact = self._entries.get(name)
        if exact is not None:
            entries.insert(0, exact)
        if len(entries) <= 1:
            return entries[0] if entries else None
        merged = Entry()
        for entry in entries:
            merged.fill_from(entry)
        return merged

    def bind(self) -> None:
        """Learn by which of the known names the objects of the imported modules are reachable.

        A class has often another `__module__` than the module that people import it from. Looks
        only at modules that are imported, reads attributes statically, and runs nothing.
        """
        found: dict[int, list[str]] = {}
        targets: list[Any] = []
        for name in sorted(self._list_bindable()):
            target = find_object(name)
            if target is not None:
                found.setdefault(id(target), []).append(name)
                targets.append(target)
        self._aliases = {key: tuple(names) for key, names in found.items()}
        self._public = {
            f"{target.__module__}.{target.__qualname__}": self._aliases[id(target)]
            for target in targets
            if type(target) is FunctionType  # `isinstance` would ask a proxy for what it stands for
        }

    def list_names(self, target: Any) -> tuple[str, ...]:
        """Return the dotted names of a live class, function or global, the known ones first."""
        names = self._aliases.get(id(target), ())
        if not issubclass(type(target), _NAMED_TYPES):  # asking an object might run its code
            return names
        if issubclass(type(target), type):  # nor is a metaclass asked
            module = type.__dict__["__module__"].__get__(target)
            qualname = type.__dict__["__qualname__"].__get__(target)
        else:
            module = getattr(target, "__module__", None)
            qualname = getattr(target, "__qualname__", None)
        if isinstance(module, str) and isinstance(qualname, str):
            return (*names, f"{module}.{qualname}")
        return names

    def find_objects(self, name: str) -> list[Any]:
        """Return the known globals of imported modules whose use runs code, by their last name."""
        found = (
            find_object(known)
            for known, entry in self._entries.items()
            if entry.used is not None and known.rpartition(".")[2] == name
        )
        return [target for target in found if target is not None]

    def find_decorator(self, wrapper: FunctionType) -> tuple[str, Decorator] | None:
        """Return the decorator that made a wrapper, by the wrapper's own code: name and entry.

        `functools.wraps` gives a wrapper the name of what it wraps, but not its code.
        """
        outer, separator, _ = wrapper.__code__.co_qualname.partition(".<locals>.")
        if not separator:
            return None
        name = f"{wrapper.__globals__.get('__name__')}.{outer}"
        for known in (*self._public.get(name, ()), name):
            entry = self.find(known)
            if entry is not None and entry.decorator is not None:
                return known, entry.decorator
        return None

    def _list_bindable(self) -> set[str]:
        names = {*self._entries, *self._wildcards, *self.attributes, *self.delegates}
        owners = {name.rpartition(".")[0] for name in self._entries}
        return {name for name in names | owners if name.partition(".")[0] in sys.modules}

    def _add(self, library: Library) -> None:
        for blocking in library.blocking:
            for entry in self._place(blocking.names, blocking.excepted):
                entry.blocking = blocking
        sections: dict[str, tuple[Returns | Runs | UsedObject | Decorator | Template, ...]] = {
            "returns": library.returns,
            "runs": library.runs,
            "used": library.objects,
            "decorator": library.decorators,
            "template": library.templates,
        }
        for section, tables in sections.items():
            for table in tables:
                for entry in self._place(table.names):
                    setattr(entry, section, table)
        for delegates in library.delegates:
            for name in delegates.names:
                self.delegates[name] = delegates.to
        for attribute in library.attributes:
            self.attributes.setdefault(attribute.descriptor, []).append(attribute)

    def _place(
        self, names: tuple[str, ...], excepted: frozenset[str] = frozenset()
    ) -> Iterable[Entry]:
        for name in names:
            owner, _, member = name.rpartition(".")
            if member != "*":
                yield self._entries.setdefault(name, Entry())
            else:
                entry = Entry()
                self._wildcards.setdefault(owner, _Wildcards()).entries.insert(0, (excepted, entry))
                yield entry


@lru_cache(maxsize=1)
def _load_own() -> tuple[Library, ...]:
    folder = Path(__file__).parent
    return tuple(_read(path) for path in sorted(folder.glob("*.toml")))


def load_knowledge(paths: Iterable[Path] = ()) -> Knowledge:
    """Return what flasync, the installed extensions and the project's own files know.

    Args:
        paths: Files of the project, from `knowledge` of `[tool.flasync]`.

    Raises:
        KnowledgeError: A file cannot be read or is wrong.
    """
    return Knowledge((*_load_own(), *_load_plugins(), *map(_read, paths)))


def _load_plugins() -> Iterable[Library]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        spec = importlib.util.find_spec(point.value)
        folders = spec.submodule_search_locations if spec is not None else None
        if not folders:
            raise KnowledgeError(
                f"The entry point {point.name!r} of {ENTRY_POINT_GROUP} names {point.value!r},"
                " which is no package with knowledge files. Correct or uninstall that package"
            )
        for folder in folders:
            yield from map(_read, sorted(Path(folder).glob("*.toml")))


def _read(path: Path) -> Library:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(
            f"The knowledge file {str(path)!r} cannot be read: {error}. Correct its path"
        ) from error
    return parse_library(text, path)


def find_object(name: str) -> Any:
    """Return the class, function or global of that name in the imported libraries, or None.

    Libraries that import their own modules late get them imported: what the app has imported a
    part of is no code of the app.
    """
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = sys.modules.get(".".join(parts[:length]))
        if isinstance(module, ModuleType):
            target: Any = module
            for part in parts[length:]:
                target = _get_member(target, part)
            return None if issubclass(type(target), ModuleType) else target
    return None


def _get_member(owner: Any, name: str) -> Any:
    found = _get_static(owner, name)
    if found is None and type(owner) is ModuleType and "__path__" in vars(owner):
        # A library may fail in any way while it is imported.
        with contextlib.suppress(Exception):
            return importlib.import_module(f"{owner.__name__}.{name}")
    return found


def _get_static(owner: Any, name: str) -> Any:
    classes = owner.__mro__ if isinstance(owner, type) else (owner,)
    for holder in classes:
        members = getattr(holder, "__dict__", {})
        if name in members:
            member = members[name]
            return member.__func__ if isinstance(member, staticmethod | classmethod) else member
    return None
