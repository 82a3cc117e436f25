"""Telling the mentions of one function from those of others that have the same name.

In doubt a mention is taken to be of the function. The imported modules are looked at where they
help, and none of the app's code is run for it.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Mapping
from functools import cache, cached_property
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from flasync.toolkit.migration.mentions import Definition, Mention, MentionFile
from flasync.toolkit.scopes import MISSING, find_named
from flasync.toolkit.sources import FunctionTree

# Methods whose first argument is a key or the name of an endpoint.
_KEYED = frozenset({"get", "getlist", "pop", "setdefault", "url_for"})
_NOTHING: Mapping[str, Any] = {}


class LiveNames:
    """What names and attributes at the top of modules stand for, in the imported app."""

    def __init__(self) -> None:
        self._values: dict[ast.AST, Any] = {}
        self._namespaces: dict[MentionFile, Mapping[str, Any]] = {}

    def get_namespace(self, file: MentionFile) -> Mapping[str, Any]:
        """Return the globals of a file's module; nothing when it is not imported."""
        if file not in self._namespaces:
            path = _follow_links(str(file.source.path))
            self._namespaces[file] = self._by_path.get(path, _NOTHING)
        return self._namespaces[file]

    def find(self, node: ast.expr, file: MentionFile) -> Any:
        """Return the live object behind a global or an import, or an attribute of one.

        `MISSING` for all else.
        """
        if node not in self._values:
            self._values[node] = self._find(node, file)
        return self._values[node]

    def _find(self, node: ast.expr, file: MentionFile) -> Any:
        if isinstance(node, ast.Attribute):
            owner = self.find(node.value, file)
            if owner is MISSING:
                return MISSING
            value = inspect.getattr_static(owner, node.attr, MISSING)
            is_holder = issubclass(type(owner), ModuleType | type)
            # A property or slot is not the value that reading it gives.
            return value if is_holder or not hasattr(type(value), "__get__") else MISSING
        if not isinstance(node, ast.Name):
            return MISSING
        if file.find_binder(node, node.id) is file.source.tree:
            value = self.get_namespace(file).get(node.id, MISSING)
            if value is not MISSING:
                return value
        path = ".".join(file.imports.get(node.id, ()))
        return sys.modules.get(path, find_named(path)) if path else MISSING

    @cached_property
    def _by_path(self) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for module in list(sys.modules.values()):
            filename = vars(module).get("__file__") if type(module) is ModuleType else None
            if isinstance(filename, str):
                found[_follow_links(filename)] = vars(module)
        return found


class Target:
    """A function whose mentions are looked for.

    Args:
        tree: Its tree.
        home: The file that it is in.
        live: The imported modules.

    Attributes:
        name: Its name.
        owner: The class that it is a method of; None for all others.
    """

    def __init__(self, tree: Definition, home: MentionFile, live: LiveNames) -> None:
        self.name = tree.name
        self.owner = home.find_class(tree)
        self._tree = tree
        self._home = home
        self._live = live
        self._binder = home.find_binder(tree, tree.name)

    def may_be(self, mention: Mention) -> bool:
        """Return whether a mention of the name may be one of the function."""
        node = mention.node
        if node is self._tree:
            return False
        if isinstance(node, ast.Name):
            return self._may_be_name(mention)
        if isinstance(node, ast.Attribute):
            return self._may_be_attribute(mention, node)
        if isinstance(node, ast.alias):
            return isinstance(mention.parent, ast.ImportFrom) and self.owner is None
        if isinstance(node, ast.Constant):
            return not _is_data(mention)
        return mention.file is self._home and (
            mention.file.find_binder(node, self.name) is self._binder
        )

    def _may_be_name(self, mention: Mention) -> bool:
        file = mention.file
        binder = file.find_binder(mention.node, self.name)
        if file is self._home:
            return binder is self._binder
        if not isinstance(self._binder, ast.Module):
            return False
        value = self._live.get_namespace(file).get(self.name, MISSING)
        if binder is file.source.tree and value is not MISSING:
            return self._is_same(value)
        return isinstance(binder, ast.Module | FunctionTree) and (
            self.name in file.imports or "*" in file.imports
        )

    def _may_be_attribute(self, mention: Mention, node: ast.Attribute) -> bool:
        if isinstance(self._binder, FunctionTree):
            return False  # that of a function within a function is none
        owner = self._live.find(node.value, mention.file)
        if owner is not MISSING:
            found = inspect.getattr_static(owner, self.name, MISSING)
            return self._is_same(found) if found is not MISSING else _makes_attributes(owner)
        # A module is hardly ever in a variable, an object nearly always.
        root = _find_root(node)
        is_imported = root is not None and root in mention.file.imports
        return self.owner is not None or is_imported or "import_module" in mention.file.source.text

    def _is_same(self, value: Any) -> bool:
        """Return whether a live object is the function, or what a decorator made of it."""
        own = self._live.get_namespace(self._home).get(self.name, MISSING)
        if self.owner is None and value is own:
            return True
        while type(value) in {classmethod, staticmethod, MethodType}:
            value = value.__func__
        while type(value) is FunctionType:
            if self._is_compiled(value.__code__):
                return True
            value = vars(value).get("__wrapped__")
        # An object that wraps the function is the same wherever it is imported.
        return False

    def _is_compiled(self, code: CodeType) -> bool:
        """Return whether a code object was compiled from the function."""
        return (
            code.co_name == self.name
            and self._home.source.find_function(code) is self._tree
            and _follow_links(code.co_filename) == _follow_links(str(self._home.source.path))
        )


@cache  # asked for each mention of each namesake
def _follow_links(path: str) -> str:
    return os.path.realpath(path)


def _makes_attributes(owner: Any) -> bool:
    """Return whether an object may have attributes that are only made when they are read."""
    return (
        inspect.getattr_static(type(owner), "__getattr__", None) is not None
        or inspect.getattr_static(owner, "__getattr__", None) is not None
    )


def _find_root(node: ast.expr) -> str | None:
    """Return the name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_data(mention: Mention) -> bool:
    """Return whether a text is a key, or is compared: it names a value, and no function."""
    parent = mention.parent
    if isinstance(parent, ast.Subscript | ast.Compare | ast.JoinedStr | ast.Expr):
        return True
    if isinstance(parent, ast.Dict):
        return mention.node in parent.keys
    if isinstance(parent, ast.Call) and parent.args and parent.args[0] is mention.node:
        callee = parent.func
        return getattr(callee, "attr", getattr(callee, "id", "")) in _KEYED
    return False
