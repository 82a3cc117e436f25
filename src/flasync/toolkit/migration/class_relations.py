"""What a method is to other classes: one overrides it, or a library's class may call it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from flasync.toolkit.scopes import find_file
from flasync.toolkit.sources import SourceFile, Sources
from flasync.toolkit.syntax import walk_nodes

# Classes that call no method of those that derive from them, but for special ones.
_PLAIN_BASES = frozenset({"ABC", "Generic", "Protocol", "object"})
_PLAIN_MODULES = frozenset({"abc", "builtins", "typing", "typing_extensions"})


class ClassRelations:
    """The classes of a project, those that are imported and those that are only written.

    Args:
        sources: The project's files, to tell its classes from others.
        files: All files in which classes are looked for.
    """

    def __init__(self, sources: Sources, files: Collection[SourceFile]) -> None:
        self._sources = sources
        self._files = files

    def find(self, owner: ast.ClassDef, name: str, namespace: Mapping[str, Any]) -> str:
        """Return why others than its visible callers may call a method; "" when nobody does.

        Args:
            owner: The class that defines it.
            name: Its name.
            namespace: The live globals of its module.

        Returns:
            The end of a sentence, such as "`Child` overrides it".
        """
        if _looks_up_methods(owner):
            return f"`{owner.name}` looks up methods by name"
        for child in self._by_base.get(owner.name, ()):
            if name in _list_bound(child):
                return f"`{child.name}` overrides it"
        cls: Any = namespace.get(owner.name)
        if issubclass(type(cls), type) and cls.__qualname__ == owner.name:
            return self._find_live(cls, name)
        bases = [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in owner.bases]
        strange = next((base for base in bases if base not in _PLAIN_BASES), None)
        return f"nothing is known of `{strange}`, which it derives from" if strange else ""

    def _find_live(self, cls: type, name: str) -> str:
        for base in cls.__mro__[1:]:
            if name in vars(base):
                return f"it overrides that of `{base.__name__}`"
            if not self._is_plain(base):
                return f"`{base.__name__}`, which is no class of the project, may call it"
        if not self._is_plain(type(cls)):
            return f"`{type(cls).__name__}`, which makes the class, may call it"
        overriding = (child for child in _list_below(cls) if name in vars(child))
        child = next(overriding, None)
        return f"`{child.__name__}` overrides it" if child is not None else ""

    def _is_plain(self, cls: type) -> bool:
        filename = find_file(cls)
        is_own = filename is not None and self._sources.is_own(filename)
        return is_own or cls.__module__ in _PLAIN_MODULES

    @cached_property
    def _by_base(self) -> dict[str, list[ast.ClassDef]]:
        """The classes as written, by the last names of their bases."""
        found: dict[str, list[ast.ClassDef]] = {}
        for file in self._files:
            for node in walk_nodes(file.tree) if "class " in file.text else ():
                if isinstance(node, ast.ClassDef):
                    for base in node.bases:
                        last = ast.unparse(base).partition("[")[0].rpartition(".")[2]
                        found.setdefault(last, []).append(node)
        return found


def _looks_up_methods(owner: ast.ClassDef) -> bool:
    """Return whether a class reads attributes by names that are made at run time."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and not (len(node.args) > 1 and isinstance(node.args[1], ast.Constant))
        for node in walk_nodes(owner)
    )


def _list_bound(owner: ast.ClassDef) -> Iterator[str]:
    """Yield the names that the body of a class binds."""
    for statement in owner.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def _list_below(cls: type) -> Iterator[type]:
    children: list[type] = type.__subclasses__(cls)
    for child in children:
        yield child
        yield from _list_below(child)
