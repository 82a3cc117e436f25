"""The value of a local variable that nothing but one function gets to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.parsed_file import FunctionNode, ParsedFile
from flasync.toolkit.migration.recipe import LeaveAlone


def find_own_value(
    file: ParsedFile,
    function: FunctionNode,
    name: str,
    is_harmless: Callable[[cst.Attribute], bool],
) -> cst.BaseExpression:
    """Return the one value that a function gives to a local variable and keeps to itself.

    Args:
        file: The file.
        function: The function.
        name: The variable.
        is_harmless: Says of an attribute of it, as used in the function, whether that keeps the
            value here. Every other use passes it on.

    Raises:
        LeaveAlone: It is bound otherwise than by one plain assignment, or passed on.
    """
    values: list[cst.BaseExpression] = []
    for _, above in list_mentions(file, function, name):
        if isinstance(above, cst.AssignTarget):
            values.append(get_assigned(file, above))
        elif not isinstance(above, cst.Attribute):
            raise LeaveAlone(f"`{name}` may be seen by other requests")
        elif not is_harmless(above):
            raise LeaveAlone(f"`{name}.{above.attr.value}` uses it in another way")
    if len(values) != 1:
        raise LeaveAlone(f"`{name}` comes from elsewhere, and may be seen by other requests")
    return values[0]


def list_mentions(
    file: ParsedFile, function: FunctionNode, name: str
) -> Iterator[tuple[cst.CSTNode, cst.CSTNode | None]]:
    """Yield where a function names a local variable, each with the node around it.

    Raises:
        LeaveAlone: A function within names it, too, or it is a parameter.
    """
    if matchers.findall(function.params, matchers.Param(name=matchers.Name(name))):
        raise LeaveAlone(f"`{name}` may come from its caller")
    for mention in matchers.findall(function.body, matchers.Name(name)):
        if file.find_enclosing(mention) is not function:
            raise LeaveAlone(f"`{name}` is used by a function within")
        above = file.get_parent(mention)
        is_attribute = isinstance(above, cst.Attribute) and above.attr is mention
        is_keyword = isinstance(above, cst.Arg) and above.keyword is mention
        if not is_attribute and not is_keyword:
            yield mention, above


def get_assigned(file: ParsedFile, target: cst.AssignTarget) -> cst.BaseExpression:
    """Return what is assigned to a target.

    Raises:
        LeaveAlone: It is assigned to others as well.
    """
    assign = file.get_parent(target)
    assert isinstance(assign, cst.Assign)  # noqa: S101  the parent of every AssignTarget
    if len(assign.targets) > 1:
        raise LeaveAlone("it may be seen by other requests")
    return assign.value
