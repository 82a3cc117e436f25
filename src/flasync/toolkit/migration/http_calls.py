"""What the recipes of HTTP calls share: arguments, the new call, and the shared client's name."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from flasync.toolkit.migration.http_clients import SHARED_NAME, HttpChoice
from flasync.toolkit.migration.imports import Import
from flasync.toolkit.migration.recipe import LeaveAlone, Scene

VERBS = ("delete", "get", "head", "options", "patch", "post", "put", "request")


def check_place(scene: Scene) -> None:
    """Make sure that a call stands in a function.

    Raises:
        LeaveAlone: It does not.
    """
    if not isinstance(scene.file.find_enclosing(scene.call), cst.FunctionDef):
        raise LeaveAlone("it is not called in the body of a function")


def bind_arguments(
    scene: Scene, positions: tuple[str, ...], left: Mapping[str, str]
) -> dict[str, cst.Arg]:
    """Return the arguments of a call by their names.

    Args:
        scene: The call.
        positions: The parameters that may be given by position.
        left: Parameters with which a call is left alone, each with the reason.

    Raises:
        LeaveAlone: It has one of those, or stars.
    """
    bound = scene.bind(*positions)
    for name in bound:
        if name in left:
            raise LeaveAlone(f"it is called with `{name}`, {left[name]}")
    verify = bound.get("verify")
    if verify is not None and not _is_setting(verify.value):
        raise LeaveAlone("`verify` is computed for each call, and each value has its connections")
    return bound


def build_call(
    scene: Scene, choice: HttpChoice, bound: Mapping[str, cst.Arg], added: Mapping[str, str]
) -> tuple[cst.Call, Import]:
    """Return the call of the shared client, and the import that it needs.

    Args:
        scene: The old call.
        choice: The client.
        bound: The arguments; all but the method and the address get their names written.
        added: More arguments: names and source.
    """
    shared, needed = scene.use(choice.module, SHARED_NAME)
    verb = scene.name.rpartition(".")[2]
    args = [
        arg if arg.keyword is not None or name in ("method", "url") else _name_it(arg, name)
        for name, arg in bound.items()
    ]
    if added:
        template = cst.ensure_type(
            cst.parse_expression(
                f"f({', '.join(f'{name}={value}' for name, value in added.items())})"
            ),
            cst.Call,
        )
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args[-1] = args[-1].with_changes(comma=comma) if args else args[-1]
        args += template.args
    return scene.call.with_changes(func=cst.Attribute(shared, cst.Name(verb)), args=args), needed


def read_constant(arg: cst.Arg | None) -> str | None:
    """Return an argument's source when it is a literal or a constant such as None, else None."""
    value = arg.value if arg is not None else None
    return value.value if isinstance(value, cst.Name | cst.Integer | cst.Float) else None


def _name_it(arg: cst.Arg, name: str) -> cst.Arg:
    none = cst.SimpleWhitespace("")
    return arg.with_changes(keyword=cst.Name(name), equal=cst.AssignEqual(none, none))


def _is_setting(value: cst.BaseExpression) -> bool:
    """Return whether an expression has few values: a literal, a name, an item of a config."""
    while isinstance(value, cst.Attribute):
        value = value.value
    if isinstance(value, cst.Subscript):
        return _is_setting(value.value) and all(
            isinstance(element.slice, cst.Index)
            and isinstance(element.slice.value, cst.SimpleString)
            for element in value.slice
        )
    return isinstance(value, cst.Name | cst.SimpleString)
