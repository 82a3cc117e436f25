"""What the methods of lists and dicts give, and the builtins that pair items up."""

from __future__ import annotations

from collections.abc import Callable

from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Instance,
    Live,
    Record,
    Value,
    Values,
    build_row,
    join,
)

GetItems = Callable[[Values], Values]

_METHODS = frozenset({"copy", "get", "items", "pop", "setdefault", "values"})


def call_method(
    receiver: Value, name: str, arguments: Arguments, get_items: GetItems
) -> Values | None:
    """Return what a method of a plain list or dict gives; None for anything else.

    Args:
        receiver: The container.
        name: The method.
        arguments: Those of the call.
        get_items: Gives the items of values.
    """
    if name not in _METHODS:
        return None
    if not _is_dict(receiver):
        if name in {"copy", "pop"} and _is_list(receiver):
            return (receiver,) if name == "copy" else get_items((receiver,))
        return None
    if name == "copy":
        return (receiver,)
    if name == "values":
        return (Instance(list, _get_values(receiver, get_items)),)
    if name == "items":
        held = _get_values(receiver, get_items)
        return (Instance(list, (build_row(((Instance(str),), held)),)),)
    found = _get_item(receiver, arguments)
    if found is None:
        found = _get_values(receiver, get_items)
    return join(found, arguments.get("1") or UNKNOWN)


def call_builtin(callee: Value, arguments: Arguments, get_items: GetItems) -> Values | None:
    """Return what `enumerate` or `zip` gives; None for anything else."""
    if type(callee) is not Live:
        return None
    if callee.obj is enumerate and arguments.positional:
        return (_build_rows((Instance(int),), get_items(arguments.positional[0])),)
    if callee.obj is zip:
        return (_build_rows(*map(get_items, arguments.positional)),)
    return None


def _build_rows(*places: Values) -> Instance:
    return Instance(list, (build_row(places),))


def _is_dict(receiver: Value) -> bool:
    if isinstance(receiver, Instance):
        return receiver.cls is dict
    return isinstance(receiver, Record) or (
        isinstance(receiver, Live) and type(receiver.obj) is dict
    )


def _get_values(receiver: Value, get_items: GetItems) -> Values:
    """Return all values of a plain dict."""
    if isinstance(receiver, Live):
        return join(map(Live, list(receiver.obj.values())))
    return receiver.items if isinstance(receiver, Instance) else get_items((receiver,))


def _get_item(receiver: Value, arguments: Arguments) -> Values | None:
    """Return what a plain dict has under the key of a call; None when it is not known to be there.

    It may be there and still be unknown itself.
    """
    given = arguments.get("0") or ()
    keys = [value.obj for value in given if isinstance(value, Live) and type(value.obj) is str]
    if isinstance(receiver, Record):
        known = [values for key, values in receiver.keys if key in keys]
        return join(*known) if known else None
    if isinstance(receiver, Live):
        return tuple(Live(receiver.obj[key]) for key in keys if key in receiver.obj) or None
    return None


def _is_list(receiver: Value) -> bool:
    if isinstance(receiver, Instance):
        return receiver.cls is list
    return isinstance(receiver, Live) and type(receiver.obj) is list
