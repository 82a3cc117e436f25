"""What an annotation says of a value, resolved by name without running anything."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flasync.toolkit.interpreter.members import find_in_module, get_members, get_module, is_a
from flasync.toolkit.interpreter.values import UNKNOWN, Instance, Live, Named, Value, Values, join

# Names in names in an annotation that are followed.
_MAX_DEPTH = 12
# Names whose parameter is what iterating over them gives.
_ITERABLE_NAMES = frozenset(
    {"AsyncGenerator", "AsyncIterable", "AsyncIterator", "Collection", "Deque", "FrozenSet"}
    | {"Generator", "Iterable", "Iterator", "List", "MutableSequence", "Sequence", "Set", "Tuple"}
)
# Names that stand for their parameter.
_TRANSPARENT = frozenset(
    {"Annotated", "Awaitable", "ClassVar", "Coroutine", "Final", "Mapped", "NotRequired"}
    | {"Optional", "Required", "Union"}
)
_CONTEXT_MANAGERS = frozenset(
    {"AbstractAsyncContextManager", "AbstractContextManager", "AsyncContextManager"}
    | {"ContextManager"}
)


def read_annotation(
    annotation: Any, namespace: Mapping[str, Any], receiver: Values = UNKNOWN
) -> Values:
    """Return what a value with this annotation is.

    Args:
        annotation: A string, a syntax tree, or the live object of an annotation.
        namespace: The globals by which names in it are resolved.
        receiver: What `Self` means.
    """
    return _Reader(namespace, receiver).read(annotation)


class _Reader:
    """Reads one annotation, names in names up to a depth: a type alias may mean itself."""

    def __init__(self, namespace: Mapping[str, Any], receiver: Values) -> None:
        self._namespace = namespace
        self._receiver = receiver
        self._depth = 0

    def read(self, annotation: Any) -> Values:
        """Return what a value with this annotation is."""
        if self._depth > _MAX_DEPTH:
            return UNKNOWN
        self._depth += 1
        try:
            return self._read_any(annotation)
        finally:
            self._depth -= 1

    def _read_any(self, annotation: Any) -> Values:
        if is_a(annotation, str):
            tree = _parse(annotation)
            return self._read_tree(tree) if tree is not None else UNKNOWN
        if is_a(annotation, ast.expr):
            return self._read_tree(annotation)
        return self._read_object(annotation)

    def _read_tree(self, tree: ast.expr) -> Values:
        match tree:
            case ast.Constant(value=str() as text):
                found = self.read(text)
            case ast.BinOp(op=ast.BitOr()):
                found = join(self.read(tree.left), self.read(tree.right))
            case ast.Subscript():
                found = self._read_subscript(tree)
            case ast.Name(id="Self") | ast.Attribute(attr="Self"):
                found = self._receiver
            case ast.Name() | ast.Attribute():
                found = self._read_name(tree)
            case _:
                found = UNKNOWN
        return found

    def _read_name(self, tree: ast.expr) -> Values:
        target = _find(tree, self._namespace)
        if isinstance(target, Live):
            return self.read(target.obj) if not is_a(target.obj, str) else UNKNOWN
        return (Instance(target),) if isinstance(target, Named) else UNKNOWN

    def _read_subscript(self, tree: ast.Subscript) -> Values:
        base = tree.value
        name = base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
        parameters = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        if not parameters:  # `tuple[()]`
            return self.read(base)
        if name in _TRANSPARENT:
            # The last of `Coroutine[Any, Any, X]`, the first of `Annotated[X, …]`, a Union's all.
            one = {"Coroutine": parameters[-1:], "Annotated": parameters[:1]}
            return join(*map(self.read, one.get(name, parameters)))
        if name in {"type", "Type"}:
            target = _find(parameters[0], self._namespace)
            return (target,) if target is not None else UNKNOWN
        items = self.read(parameters[0])
        if name in _ITERABLE_NAMES or name in _CONTEXT_MANAGERS:
            return (Instance(types.GeneratorType, items),)
        return tuple(
            Instance(value.cls, items) if isinstance(value, Instance) else value
            for value in self.read(base)
        )

    def _read_object(self, annotation: Any) -> Values:
        if annotation is typing.Self:
            return self._receiver
        if is_a(annotation, type):
            plain = annotation is object or annotation is types.NoneType
            return UNKNOWN if plain else (Instance(annotation),)
        if get_module(type(annotation)) not in {"types", "typing"}:
            return UNKNOWN  # whatever it is, `typing` would ask it for its `__class__`
        origin = typing.get_origin(annotation)
        if origin is not None:
            return self._read_generic(origin, typing.get_args(annotation))
        if isinstance(annotation, typing.ForwardRef):
            return self.read(annotation.__forward_arg__)
        return UNKNOWN

    def _read_generic(self, origin: Any, parameters: tuple[Any, ...]) -> Values:
        if not parameters:  # `Awaitable` of anything
            return (Instance(origin),) if is_a(origin, type) else UNKNOWN
        if origin in {typing.Union, types.UnionType}:
            return join(*map(self.read, parameters))
        if origin in {typing.Annotated, typing.ClassVar, typing.Final}:
            return self.read(parameters[0])
        if origin in {collections.abc.Awaitable, collections.abc.Coroutine}:
            return self.read(parameters[-1])
        if origin is type:
            return (Live(parameters[0]),) if is_a(parameters[0], type) else UNKNOWN
        items = self.read(parameters[0])
        return (Instance(origin, items),) if is_a(origin, type) else UNKNOWN


@lru_cache(maxsize=4096)
def _parse(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _find(tree: ast.expr, namespace: Mapping[str, Any]) -> Value | None:
    if isinstance(tree, ast.Name):
        if tree.id in namespace:
            return Live(namespace[tree.id])
        builtin = getattr(builtins, tree.id, None)
        return Live(builtin) if builtin is not None else None
    if isinstance(tree, ast.Attribute):
        base = _find(tree.value, namespace)
        if isinstance(base, Named):
            return Named(f"{base.name}.{tree.attr}")
        if isinstance(base, Live) and is_a(base.obj, types.ModuleType):
            return find_in_module(base.obj, tree.attr)[0]
        if isinstance(base, Live) and is_a(base.obj, type):
            member = get_members(base.obj).get(tree.attr)
            return Live(member) if member is not None else None
    return None
