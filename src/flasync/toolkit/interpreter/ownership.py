"""Which functions and classes are the project's own code, or lead to it."""

from __future__ import annotations

import ast
import functools
import sys
from types import CodeType, FunctionType, MethodType, NoneType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.finding import Place
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.functions import MAX_VARIANTS
from flasync.toolkit.interpreter.live_functions import list_wrapped
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.values import Bound, Function, Live, Value
from flasync.toolkit.sources import FunctionTree, SourceFile

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


class Ownership(Part):
    """Tells the project's code from other code."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._leading = IdentityMemo(self._search)
        self._found = IdentityMemo(self._find_source)

    def find_source(self, function: FunctionType) -> tuple[SourceFile | None, FunctionTree | None]:
        """Return the file and the tree of a function of the project; None for any other."""
        return self._found.get(function.__code__)

    def _find_source(self, code: CodeType) -> tuple[SourceFile | None, FunctionTree | None]:
        if not self._evaluator.sources.is_own(code.co_filename):
            return None, None
        source = self._evaluator.sources.get(code.co_filename)
        return source, source.find_function(code) if source is not None else None

    def is_own_function(self, value: Value) -> bool:
        """Return whether calling a value runs code of the project, wrapped or not."""
        if isinstance(value, Function):
            return True
        if isinstance(value, Bound):
            return any(self.is_own_function(function) for function in value.functions)
        target: Any = value.obj if isinstance(value, Live) else None
        if is_a(target, MethodType):
            target = target.__func__
        return target is not None and self.leads_home(target)

    def leads_home(self, target: Any) -> bool:
        """Return whether a live callable is the project's, or wraps something that is."""
        return self._leading.get(target)

    def _search(self, target: Any) -> bool:
        seen: set[int] = set()
        waiting = [target]
        while waiting:
            current = waiting.pop()
            if is_a(current, MethodType):
                current = current.__func__
            if id(current) in seen or len(seen) > MAX_VARIANTS:
                continue
            seen.add(id(current))
            if is_a(current, functools.partial):
                waiting.append(current.func)
            elif is_a(current, FunctionType):
                if self._evaluator.sources.is_own(current.__code__.co_filename):
                    return True
                waiting.extend(list_wrapped(current))
            elif not is_a(current, type):  # `functools.cache` and the like
                waiting.extend(list_wrapped(current))
        return False

    def find_decorator_place(self, function: Any, name: str) -> Place | None:
        """Return where a decorator stands above a function of the project.

        Args:
            function: What was decorated, other wrappers around it included.
            name: The last name of the decorator.
        """
        while is_a(function, FunctionType):
            source, tree = self.find_source(function)
            if source is not None and not isinstance(tree, ast.Lambda | NoneType):
                for node in tree.decorator_list:
                    if any(
                        getattr(part, "attr", getattr(part, "id", "")) == name
                        for part in ast.walk(node)
                    ):
                        return source.locate(node)
                return source.locate(tree.decorator_list[0] if tree.decorator_list else tree)
            function = next(list_wrapped(function), None)
        return None

    def is_own_class(self, cls: type) -> bool:
        """Return whether a live class is defined by the project."""
        module = sys.modules.get(members.get_module(cls))
        filename = getattr(module, "__file__", None)
        return isinstance(filename, str) and self._evaluator.sources.is_own(filename)
