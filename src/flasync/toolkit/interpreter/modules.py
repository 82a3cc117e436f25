"""Imports inside functions, and modules of the project that are known from their source alone."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.body import Walk
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Live,
    Named,
    Scope,
    SourceClass,
    SourceModule,
    Values,
    join,
)
from flasync.toolkit.sources import SourceFile

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


class Modules(Part):
    """Resolves imports."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._modules: dict[str, SourceModule | None] = {}

    def import_module(self, name: str) -> Values:
        """Return a module as an import inside a function gives it."""
        module = sys.modules.get(name)
        if module is not None:
            return (Live(module),)
        source = self._load_source(name)
        return (source,) if source is not None else (Named(name),)

    def import_name(self, module: str, name: str) -> Values:
        """Return what `from module import name` gives."""
        found: list[Values] = []
        for value in self.import_module(module):
            if isinstance(value, SourceModule):
                values = value.scope.names.get(name, UNKNOWN)
                found.append(values or self.import_module(f"{module}.{name}"))
            elif isinstance(value, Live) and is_a(value.obj, ModuleType):
                inner = members.find_in_module(value.obj, name)
                if isinstance(inner[0], Named):
                    inner = self.import_module(inner[0].name)
                found.append(inner)
            elif isinstance(value, Named):
                found.append((Named(f"{value.name}.{name}"),))
        return join(*found)

    def import_all(self, module: str) -> dict[str, Values]:
        """Return what `from module import *` gives."""
        for value in self.import_module(module):
            if isinstance(value, Live) and is_a(value.obj, ModuleType):
                members_ = vars(value.obj)
                public = members_.get("__all__") or [n for n in members_ if n[0] != "_"]
                return {name: (Live(members_[name]),) for name in public if name in members_}
            if isinstance(value, SourceModule):
                return {n: v for n, v in value.scope.names.items() if n[0] != "_"}
        return {}

    def _load_source(self, name: str) -> SourceModule | None:
        """Return a module of the project that is not imported, walked from its source."""
        if name not in self._modules:
            self._modules[name] = None
            path = self._evaluator.sources.find_module(name)
            source = self._evaluator.sources.get(path) if path is not None else None
            if source is not None:
                self._modules[name] = self._walk_module(name, source)
        return self._modules[name]

    def _walk_module(self, name: str, source: SourceFile) -> SourceModule:
        scope = Scope({}, module=name)
        module = SourceModule(name, source, scope)
        self._modules[name] = module
        node = FunctionNode(name, source, None, Place(source.name, 1))
        Walk(self._evaluator, node, source, scope).walk_block(source.tree.body)
        return module

    def find_source_member(self, cls: SourceClass, name: str) -> Values:
        """Return what a class known from source, or its bases, have under a name."""
        found = members.find_in_class(cls, name)
        return found[0] if found is not None and isinstance(found[0], tuple) else UNKNOWN
