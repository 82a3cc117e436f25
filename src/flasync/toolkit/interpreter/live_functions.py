"""What a live function shows of itself: what it wraps, closes over, defaults to."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from types import FunctionType, GetSetDescriptorType, MappingProxyType, MethodType
from typing import Any

from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.values import ClassRef, Live, Named, SourceClass, Value

# Where `wrapt` keeps the function that it wraps, and that which it calls instead.
_OF_PROXIES = ("__wrapped__", "_self_wrapper")


def list_wrapped(function: Any) -> Iterator[Any]:
    """Yield what a wrapper wraps: by `functools.wraps`, else the functions that it closes over.

    Of a `functools.singledispatch` function that is every implementation; of a function that
    `wrapt` wraps, what does so as well.
    """
    own = members.get_own(function)
    registry: Any = own.get("registry")
    if is_a(registry, MappingProxyType):
        yield from registry.values()
        return
    if own.get("__wrapped__") is not None:
        yield own["__wrapped__"]
        return
    if not is_a(function, FunctionType):
        yield from _list_proxied(function)
        return
    for value in read_closure(function).values():
        if is_a(value, FunctionType, MethodType, functools.partial):
            yield value


def _list_proxied(function: Any) -> Iterator[Any]:
    """Yield what a proxy of `wrapt` keeps beside its `__dict__`, which is that of its target."""
    for name in _OF_PROXIES:
        found = members.find_in_class(type(function), name)
        # Read by C code alone: none of the app's code may run.
        if found is not None and is_a(found[0], GetSetDescriptorType):
            yield found[0].__get__(function)


def unwrap(function: Any) -> Any:
    """Return what is behind all that `functools.wraps` has put around it."""
    seen: set[int] = set()
    while id(function) not in seen and not is_a(function, type):
        seen.add(id(function))
        if is_a(function, MethodType):
            function = function.__func__
        function = members.get_own(function).get("__wrapped__", function)
    return function


def read_closure(function: FunctionType) -> dict[str, Any]:
    """Return the free variables of a function and what they hold now."""
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def read_defaults(function: FunctionType) -> dict[str, Any]:
    """Return the default values of a function's parameters by name."""
    code = function.__code__
    values = function.__defaults__ or ()
    # Backwards, as there may be more of them than parameters.
    names = code.co_varnames[: code.co_argcount]
    return {**dict(zip(names[::-1], values[::-1], strict=False)), **(function.__kwdefaults__ or {})}


def get_getter(member: Any) -> Any:
    """Return the function behind a property, of any kind."""
    for name in ("fget", "func"):
        if is_a(member, property):
            getter = member.fget
        else:
            getter = members.get_own(member).get(name)
        is_descriptor = members.find_in_class(type(member), "__get__") is not None
        if is_a(getter, FunctionType) and is_descriptor and not is_a(member, FunctionType):
            return getter
    return None


def is_coroutine_function(function: Any) -> bool:
    """Return whether calling a function gives a coroutine or an async generator."""
    flags = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    return is_a(function, FunctionType) and bool(function.__code__.co_flags & flags)


def find_object_of(cls: ClassRef, closure: Mapping[str, Any]) -> Value | None:
    """Return an object of a class that a wrapper closes over, or that such an object holds."""
    if isinstance(cls, SourceClass | Named):
        return None
    for value in closure.values():
        for candidate in (value, *members.get_own(value).values()):
            if issubclass(type(candidate), cls):
                return Live(candidate)
    return None
