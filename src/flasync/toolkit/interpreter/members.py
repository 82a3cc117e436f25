"""Reading attributes of the app's objects without running any code of theirs."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Mapping
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from flasync.toolkit.interpreter.values import (
    ClassRef,
    Instance,
    Live,
    Named,
    SourceClass,
    Value,
    Values,
)

# What a look-up gives for a name that is not there; None is a value.
MISSING: Any = object()

# These read a class without hooks, whatever its metaclass.
_get_mro: Callable[[Any], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_get_dict: Callable[[Any], Mapping[str, Any]] = type.__dict__["__dict__"].__get__


def is_a(obj: Any, *classes: type) -> bool:
    """Return whether an object of the app really is of a class.

    `isinstance` also believes `__class__`, which a proxy answers by asking the app's code.
    """
    return issubclass(type(obj), classes)


def get_class(value: Value) -> ClassRef | None:
    """Return the class of an object; None for a module, a class or a function."""
    if isinstance(value, Instance):
        return value.cls
    if isinstance(value, Live) and not is_a(value.obj, type, ModuleType):
        return type(value.obj)
    return None


def list_classes(cls: ClassRef) -> list[ClassRef]:
    """Return a class and its bases in the order in which attributes are looked up."""
    if is_a(cls, type):
        return list(_get_mro(cls))
    if not isinstance(cls, SourceClass):
        return [cls]
    found: list[ClassRef] = [cls]
    for values in cls.bases:
        for base in values:
            reference = to_class(base)
            if reference is not None:
                known = {to_value(item) for item in found}
                found += [it for it in list_classes(reference) if to_value(it) not in known]
    return found


def to_class(value: Value) -> ClassRef | None:
    """Return the class that a value is, if it is one."""
    if isinstance(value, Live):
        return value.obj if is_a(value.obj, type) else None
    if isinstance(value, SourceClass | Named):
        return value
    return None


def find_class(value: Value) -> ClassRef | None:
    """Return the class that a value is, or else that it is an object of."""
    cls = to_class(value)
    return cls if cls is not None else get_class(value)


def to_value(cls: ClassRef) -> Value:
    """Return a class as a value."""
    return Live(cls) if not isinstance(cls, SourceClass | Named) else cls


def find_in_class(cls: ClassRef, name: str) -> tuple[Any, ClassRef] | None:
    """Return what a class or its bases have under a name, undisturbed by descriptors, and which.

    A member of a live class is the raw object; one of a class known from source is `Values`.
    """
    if is_a(cls, type):
        return find_in_live_class(cls, name)
    for base in list_classes(cls):
        if isinstance(base, SourceClass):
            if name in base.members:
                return base.members[name], base
        elif is_a(base, type) and name in get_members(base):
            return get_members(base)[name], base
    return None


def find_in_live_class(cls: Any, name: str) -> tuple[Any, type] | None:
    """Return what `find_in_class` does, for a class of the running app."""
    for base in _get_mro(cls):
        held = _get_dict(base)
        if name in held:
            return held[name], base
    return None


def to_values(member: Any) -> Values:
    """Return a member as `find_in_class` gives it as values."""
    return member if is_a(member, tuple) else (Live(member),)


def find_in_instance(obj: Any, name: str) -> Any:
    """Return what an object's own `__dict__` has under a name, or `MISSING`."""
    found = find_in_class(type(obj), "_fields") if is_a(obj, tuple) else None
    fields = found[0] if found is not None else ()
    if type(fields) is tuple and name in fields:  # of a named tuple
        return tuple.__getitem__(obj, fields.index(name))
    return get_own(obj).get(name, MISSING)


def get_own(obj: Any) -> Mapping[str, Any]:
    """Return what an object's own `__dict__` holds."""
    for base in _get_mro(type(obj)):
        descriptor = _get_dict(base).get("__dict__")
        if descriptor is not None:
            # A class may have a property of that name.
            plain = is_a(descriptor, GetSetDescriptorType, MemberDescriptorType)
            try:
                held: Any = descriptor.__get__(obj) if plain else None
            except AttributeError:  # a proxy's own, of a target that has none
                return {}
            return held if type(held) in {dict, MappingProxyType} else {}
    return {}


def get_members(cls: Any) -> Mapping[str, Any]:
    """Return what a live class itself holds, without asking its metaclass."""
    return _get_dict(cls)


def get_module(cls: Any) -> str:
    """Return the name of the module that a live class says it is from."""
    found = type.__dict__["__module__"].__get__(cls)
    return found if type(found) is str else ""


def get_name(function: Any, name: str = "__name__") -> str:
    """Return the name of a function or class; "" of anything else."""
    if is_a(function, type):
        return str(type.__dict__[name].__get__(function))
    plain = (FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)
    if is_a(function, MethodType):
        function = function.__func__
    return str(getattr(function, name)) if is_a(function, *plain) else ""


def find_in_module(module: ModuleType, name: str) -> Values:
    """Return a module's global or imported submodule, or its dotted name."""
    members = get_own(module)
    if name in members:
        return (Live(members[name]),)
    full = f"{members.get('__name__', '')}.{name}"
    if full in sys.modules:
        return (Live(sys.modules[full]),)
    return (Named(full),)


def get_path(start: Any, path: str) -> Any:
    """Follow a dotted path of attributes, or else items, from a live object; or `MISSING`.

    Used on paths that a knowledge file names, on the app, its extensions and class attributes.
    """
    target = start
    for part in path.split("."):
        found: Any = MISSING
        with contextlib.suppress(Exception):  # whatever a foreign property may raise
            found = getattr(target, part, MISSING)
        if found is MISSING and isinstance(target, Mapping):
            found = target.get(part, MISSING)
        if found is MISSING:
            return MISSING
        target = found
    return target


def get_annotations(obj: Any) -> Mapping[str, Any]:
    """Return the annotations of a function or class itself, or none when they cannot be read."""
    if is_a(obj, type):
        held = get_members(obj).get("__annotations__")
        return held if type(held) is dict else {}
    if not is_a(obj, FunctionType):
        return {}
    try:
        found = inspect.get_annotations(obj)
    except Exception:
        # Not a function or class; or Python 3.14 evaluates them now, and a name is missing.
        return {}
    return found


def name_class(receiver: Value) -> str:
    """Return the dotted name of the class of an object, or of a class itself."""
    cls = find_class(receiver)
    if cls is None:
        return ""
    if isinstance(cls, SourceClass | Named):
        return cls.name
    return f"{get_module(cls)}.{get_name(cls, '__qualname__')}"
