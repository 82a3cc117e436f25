"""Resolving the dotted names of knowledge files to the live things that they name."""

import dis
import importlib
import importlib.util
import inspect
import platform
import re
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from types import FunctionType, ModuleType
from typing import Any

from packaging.requirements import Requirement

from flasync.toolkit.knowledge import Library

TYPE_WORDS = {"app", "class", "item", "list", "new", "owner", "self"}


def is_installed(top_level: str) -> bool:
    return importlib.util.find_spec(top_level) is not None


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something in one, a member of an instance included."""
    module, parts = _import_longest(name)
    target: Any = module
    for number, part in enumerate(parts):
        if isinstance(target, ModuleType):
            # A lazy module makes its members in `__getattr__`.
            target = getattr(target, part, None)
            if target is None:
                return False
            continue
        try:
            target = inspect.getattr_static(target, part)
        except AttributeError:
            is_last = number == len(parts) - 1
            return is_last and isinstance(target, type) and _has_instance_attribute(target, part)
    return module is not None


def holds(requirement: str) -> bool:
    """Whether the running Python or the installed distribution is of the wanted version."""
    wanted = Requirement(requirement)
    found = platform.python_version() if wanted.name == "python" else version(wanted.name)
    return wanted.specifier.contains(found, prereleases=True)


def list_names(library: Library) -> Iterator[str]:
    """Yield every name that a knowledge file expects to exist.

    Left out are the members of classes which, as the notes say, have them only at run time.
    """
    late: set[str] = set()
    for blocking in library.blocking:
        if "at run time" in blocking.notes:
            late.update(name.rpartition(".")[0] for name in blocking.names)
            continue
        yield from _expand(blocking.names, blocking.excepted)
    yield from late
    for table in (*library.returns, *library.runs, *library.objects, *library.templates):
        yield from (name for name in _expand(table.names) if name.rpartition(".")[0] not in late)
    yield from (blocking.twin for blocking in library.blocking if blocking.twin)
    for returns in library.returns:
        yield from list_types(returns.type)
    for decorator in library.decorators:
        yield from decorator.names
        yield from decorator.uses
    for delegates in library.delegates:
        yield from (*delegates.names, *delegates.to)
    for attribute in library.attributes:
        yield attribute.descriptor
        yield from list_types(attribute.type)


def list_types(expression: str) -> Iterator[str]:
    """Yield the dotted names in a type expression."""
    for word in re.findall(r"[$\w.]+", expression):
        if word not in TYPE_WORDS and not word.startswith("$"):
            yield word


def _expand(names: tuple[str, ...], excepted: frozenset[str] = frozenset()) -> Iterator[str]:
    owners = [name.removesuffix(".*") for name in names if name.endswith(".*")]
    yield from owners
    yield from (name for name in names if not name.endswith(".*"))
    for member in excepted:
        # One of the owners has it; the others may not.
        candidates = [f"{owner}.{member}" for owner in owners]
        yield next((name for name in candidates if exists(name)), candidates[0])


def _import_longest(name: str) -> tuple[ModuleType | None, list[str]]:
    parts = name.split(".")
    with warnings.catch_warnings():
        # A library may be deprecated; that is no fault of what is known of it.
        warnings.simplefilter("ignore")
        for length in range(len(parts), 0, -1):
            path = ".".join(parts[:length])
            try:
                return importlib.import_module(path), parts[length:]
            except ModuleNotFoundError as error:
                if error.name is None or not f"{path}.".startswith(f"{error.name}."):
                    raise
    return None, parts


def _has_instance_attribute(cls: type, name: str) -> bool:
    """Whether a class annotates an attribute, or one of its methods assigns it to something."""
    for holder in cls.__mro__:
        if name in inspect.get_annotations(holder):
            return True
        for method in vars(holder).values():
            if isinstance(method, FunctionType) and any(
                instruction.opname == "STORE_ATTR" and instruction.argval == name
                for instruction in dis.get_instructions(method)
            ):
                return True
    return False
