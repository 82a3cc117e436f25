"""One knowledge file, read and checked; the package's docstring describes the format."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flasync.errors import KnowledgeError

T = TypeVar("T")


class Kind(enum.StrEnum):
    """What a blocking call waits for."""

    SLEEP = "sleep"
    NETWORK = "network"
    DATABASE = "database"
    DISK = "disk"
    SUBPROCESS = "subprocess"
    LOCK = "lock"
    DNS = "dns"
    CPU = "cpu"
    CONSOLE = "console"


class Way(enum.StrEnum):
    """How a blocking call is freed."""

    REWRITE = "rewrite"
    """Await the async twin instead."""
    BRIDGE = "bridge"
    """Swap the client or the URL for an async one and leave the code."""
    OFFLOAD = "offload"
    """Call it in a thread, with `flasync.run_sync`."""
    LEAVE = "leave"
    """Nothing is gained by changing it."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """Callables that wait, or compute for long, before they return."""

    names: tuple[str, ...]
    kind: Kind
    way: Way
    recipe: str
    excepted: frozenset[str] = frozenset()
    twin: str = ""
    notes: str = ""
    unless: tuple[str, ...] = ()
    is_lazy: bool = False
    library: str = ""
    """The title of the library; filled in by the reader of the file."""


@dataclass(frozen=True, slots=True)
class Returns:
    """What a call gives, or what an attribute or a global is, as a type expression."""

    names: tuple[str, ...]
    type: str


@dataclass(frozen=True, slots=True)
class Runs:
    """Callables that run the app's own code."""

    names: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    iterates: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    where: str = "here"


@dataclass(frozen=True, slots=True)
class UsedObject:
    """Globals whose use runs functions that the app has registered."""

    names: tuple[str, ...]
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decorator:
    """Decorators whose wrapper does something before it calls the wrapped function."""

    names: tuple[str, ...]
    uses: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delegates:
    """Classes whose objects pass on what they do not have to modules."""

    names: tuple[str, ...]
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Callables that render a Jinja template."""

    names: tuple[str, ...]
    argument: str


@dataclass(frozen=True, slots=True)
class AttributeRead:
    """Descriptors whose plain reading waits, or gives something worth knowing."""

    descriptor: str
    where: Mapping[str, tuple[str, ...]]
    kind: Kind | None = None
    recipe: str = ""
    value: str = ""
    many: str = ""
    type: str = ""
    library: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """The contents of one knowledge file."""

    name: str
    title: str
    source: str
    blocking: tuple[Blocking, ...] = ()
    returns: tuple[Returns, ...] = ()
    runs: tuple[Runs, ...] = ()
    objects: tuple[UsedObject, ...] = ()
    decorators: tuple[Decorator, ...] = ()
    delegates: tuple[Delegates, ...] = ()
    templates: tuple[Template, ...] = ()
    attributes: tuple[AttributeRead, ...] = ()
    path: Path = field(default=Path(), compare=False)


def parse_library(text: str, path: Path) -> Library:
    """Return what a knowledge file says.

    Args:
        text: Its contents.
        path: Where it is, for messages.

    Raises:
        KnowledgeError: It is no TOML, or a key or a value is wrong; the message says which.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(
            f"The knowledge file {str(path)!r} is no TOML: {error}. Correct it"
        ) from error
    head = _Table(data, path, "the file")
    name, title = head.take_text("library"), head.take_text("title")
    library = Library(
        name=name,
        title=title,
        source=head.take_text("source"),
        blocking=head.take_tables("blocking", lambda table: _parse_blocking(table, title)),
        returns=head.take_tables("returns", _parse_returns),
        runs=head.take_tables("runs", _parse_runs),
        objects=head.take_tables("objects", _parse_object),
        decorators=head.take_tables("decorators", _parse_decorator),
        delegates=head.take_tables("delegates", _parse_delegates),
        templates=head.take_tables("templates", _parse_template),
        attributes=head.take_tables("attributes", lambda table: _parse_attribute(table, title)),
        path=path,
    )
    head.check_empty()
    return library


def _parse_returns(table: _Table) -> Returns:
    return Returns(table.take_names(), table.take_text("type"))


def _parse_object(table: _Table) -> UsedObject:
    runs = table.take_texts("runs")
    if not runs:
        raise table.build_error("`runs` is missing or empty")
    return UsedObject(table.take_names(), runs)


def _parse_delegates(table: _Table) -> Delegates:
    return Delegates(table.take_names(), table.take_texts("to"))


def _parse_template(table: _Table) -> Template:
    return Template(table.take_names(), table.take_text("argument"))


def _parse_blocking(table: _Table, title: str) -> Blocking:
    return Blocking(
        names=table.take_names(),
        kind=table.take_choice("kind", Kind),
        way=table.take_choice("way", Way),
        recipe=table.take_text("recipe"),
        excepted=frozenset(table.take_texts("except")),
        twin=table.take_text("twin", ""),
        notes=table.take_text("notes", ""),
        unless=table.take_texts("unless"),
        is_lazy=table.take("lazy", bool, False),
        library=title,
    )


def _parse_runs(table: _Table) -> Runs:
    where = table.take_text("where", "here")
    if where not in {"here", "thread", "later"}:
        raise table.build_error(f"where = {where!r} is none of 'here', 'thread', 'later'")
    runs = Runs(
        names=table.take_names(),
        arguments=table.take_texts("arguments"),
        iterates=table.take_texts("iterates"),
        methods=table.take_texts("methods"),
        receivers=table.take_texts("receivers"),
        where=where,
    )
    if not (runs.arguments or runs.iterates or runs.methods or runs.receivers):
        raise table.build_error(
            "one of `arguments`, `iterates`, `methods` and `receivers` is wanted"
        )
    return runs


def _parse_decorator(table: _Table) -> Decorator:
    return Decorator(table.take_names(), table.take_texts("uses"), table.take_texts("runs"))


def _parse_attribute(table: _Table, title: str) -> AttributeRead:
    where = table.take("where", dict, {})
    if not all(isinstance(values, list) for values in where.values()):
        raise table.build_error(f"where = {where!r} is no table of lists")
    waits = table.has("kind") or table.has("recipe")
    return AttributeRead(
        descriptor=table.take_text("descriptor"),
        where={path: tuple(map(str, values)) for path, values in where.items()},
        kind=table.take_choice("kind", Kind) if waits else None,
        recipe=table.take_text("recipe") if waits else "",
        value=table.take_text("value", ""),
        many=table.take_text("many", ""),
        type=table.take_text("type", ""),
        library=title,
    )


class _Table:
    """A TOML table from which keys are taken until none may be left."""

    def __init__(self, data: Mapping[str, Any], path: Path, where: str) -> None:
        self._data = dict(data)
        self._path = path
        self._where = where

    def build_error(self, problem: str) -> KnowledgeError:
        return KnowledgeError(
            f"The knowledge file {str(self._path)!r}: {self._where}: {problem}."
            " The format is described in flasync/toolkit/knowledge/__init__.py"
        )

    def has(self, key: str) -> bool:
        return key in self._data

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        value = self._data.pop(key, default)
        if value is None:
            raise self.build_error(f"the key {key!r} is missing")
        if not isinstance(value, kind):
            raise self.build_error(f"{key} = {value!r} is not of the type {kind.__name__}")
        return value

    def take_text(self, key: str, default: str | None = None) -> str:
        return self.take(key, str, default)

    def take_texts(self, key: str) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.build_error(f"{key} = {values!r} is not a list of strings")
        return tuple(values)

    def take_names(self) -> tuple[str, ...]:
        names = self.take_texts("names")
        if not names:
            raise self.build_error("`names` is missing or empty")
        return names

    def take_choice(self, key: str, choices: type[_Choice]) -> _Choice:
        value = self.take_text(key)
        try:
            return choices(value)
        except ValueError:
            known = ", ".join(choices)
            raise self.build_error(f"{key} = {value!r} is none of {known}") from None

    def take_tables(self, key: str, parse: Callable[[_Table], T]) -> tuple[T, ...]:
        items: list[T] = []
        for number, data in enumerate(self.take(key, list, []), start=1):
            if not isinstance(data, Mapping):
                raise self.build_error(f"[[{key}]] number {number} is no table but {data!r}")
            table = _Table(data, self._path, f"[[{key}]] number {number}")
            items.append(parse(table))
            table.check_empty()
        return tuple(items)

    def check_empty(self) -> None:
        if self._data:
            raise self.build_error(f"unknown keys: {', '.join(sorted(self._data))}")


_Choice = TypeVar("_Choice", Kind, Way)
