"""What a function does with the value of a call: the local name that holds it is followed."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from flasync.toolkit.migration.parsed_file import ParsedFile


class UseKind(enum.Enum):
    """What is done with a value."""

    READ = "an attribute is read"
    SET = "an attribute is set"
    TESTED = "its truth is asked"
    IGNORED = "nothing, or it is compared with None"
    RETURNED = "it is returned"
    PASSED = "it is an argument of a call"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class ValueUse:
    """One use of a value.

    Attributes:
        node: The expression that is the value: the call itself or a name that holds it.
        kind: What is done.
        attribute: Which attribute is read or set.
    """

    node: cst.BaseExpression
    kind: UseKind
    attribute: str = ""


def list_uses(file: ParsedFile, call: cst.Call) -> Iterator[ValueUse]:
    """Yield what the function around a call does with its value.

    A name that holds other values too is followed all the same: what is done with them is yielded
    as well.
    """
    holders: set[str] = set()
    yield from _classify(file, call, holders)
    function = file.find_enclosing(call)
    if holders and not isinstance(function, cst.FunctionDef):
        yield ValueUse(call, UseKind.OTHER)
    elif isinstance(function, cst.FunctionDef):
        yield from _follow(file, function, holders)


def _follow(file: ParsedFile, function: cst.FunctionDef, holders: set[str]) -> Iterator[ValueUse]:
    """Yield the uses of names in a function; names that they are given to join them."""
    followed: set[str] = set()
    while holders - followed:
        name = min(holders - followed)
        followed.add(name)
        finder = _NameFinder(name)
        function.body.visit(finder)
        for node in finder.found:
            if not _is_stored(file, node):
                yield from _classify(file, node, holders)


class _NameFinder(cst.CSTVisitor):
    """Finds the names that may be a certain variable; those of attributes and keywords are not."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[cst.Name] = []

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == self._name:
            self.found.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False


def _is_stored(file: ParsedFile, node: cst.Name) -> bool:
    parent = file.get_parent(node)
    if isinstance(parent, cst.AssignTarget | cst.Param | cst.Del):
        return True
    return isinstance(parent, cst.AnnAssign | cst.NamedExpr) and parent.target is node


def _classify(file: ParsedFile, node: cst.BaseExpression, holders: set[str]) -> Iterator[ValueUse]:
    """Yield what is done with an expression; a name that gets it is added to the holders."""
    parent = file.get_parent(node)
    if isinstance(parent, cst.Assign) and all(
        isinstance(target.target, cst.Name) for target in parent.targets
    ):
        holders.update(cst.ensure_type(target.target, cst.Name).value for target in parent.targets)
    elif isinstance(parent, cst.AnnAssign) and isinstance(parent.target, cst.Name):
        holders.add(parent.target.value)
    elif isinstance(parent, cst.NamedExpr) and isinstance(parent.target, cst.Name):
        holders.add(parent.target.value)
        yield from _classify(file, parent, holders)
    elif isinstance(parent, cst.Attribute) and parent.value is node:
        kind = UseKind.SET if _is_target(file, parent) else UseKind.READ
        yield ValueUse(node, kind, parent.attr.value)
    else:
        yield ValueUse(node, _name_use(file, node, parent))


def _is_target(file: ParsedFile, node: cst.Attribute) -> bool:
    above = file.get_parent(node)
    if isinstance(above, cst.AugAssign | cst.AnnAssign):
        return above.target is node
    return isinstance(above, cst.AssignTarget | cst.Del)


def _name_use(file: ParsedFile, node: cst.BaseExpression, parent: cst.CSTNode | None) -> UseKind:
    if isinstance(parent, cst.Expr):
        return UseKind.IGNORED
    if isinstance(parent, cst.Comparison) and all(
        isinstance(target.operator, cst.Is | cst.IsNot) for target in parent.comparisons
    ):
        return UseKind.IGNORED
    if isinstance(parent, cst.Return):
        return UseKind.RETURNED
    if isinstance(parent, cst.Arg) and not parent.star:
        return UseKind.PASSED if isinstance(file.get_parent(parent), cst.Call) else UseKind.OTHER
    return UseKind.TESTED if _is_tested(file, node, parent) else UseKind.OTHER


def _is_tested(file: ParsedFile, node: cst.CSTNode, parent: cst.CSTNode | None) -> bool:
    """Return whether of an expression nothing but its truth is asked."""
    while isinstance(parent, cst.BooleanOperation):
        node, parent = parent, file.get_parent(parent)
    if isinstance(parent, cst.UnaryOperation):
        return isinstance(parent.operator, cst.Not)
    is_test = isinstance(parent, cst.If | cst.While | cst.Assert | cst.IfExp)
    return is_test and getattr(parent, "test", None) is node
