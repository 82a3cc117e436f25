"""What a name is where it stands: read, bound, another name, or only looked at."""

from __future__ import annotations

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.migration.parsed_file import ParsedFile

# Nodes whose names are no expressions that are read.
_NAMING = (
    cst.Annotation,
    cst.AsName,
    cst.AssignTarget,
    cst.ClassDef,
    cst.Del,
    cst.FunctionDef,
    cst.ImportAlias,
    cst.ImportFrom,
    cst.NameItem,
)


def is_looked_at(parent: cst.CSTNode | None, node: cst.CSTNode) -> bool:
    """Return whether an expression is only asked for its truth, compared with None or dropped."""
    match parent:
        case cst.If(test=test) | cst.While(test=test) | cst.Assert(test=test) if test is node:
            return True
        case cst.IfExp(test=test) if test is node:
            return True
        case cst.Comparison(comparisons=[cst.ComparisonTarget(operator=operator)]):
            return isinstance(operator, cst.Is | cst.IsNot)
        case cst.Expr() | cst.Del() | cst.FormattedStringExpression():
            return True
        case cst.UnaryOperation(operator=cst.Not()):
            return True
    return False


def is_read(file: ParsedFile, name: cst.CSTNode) -> bool:
    """Return whether a name is an expression that is read, and not only a name of something."""
    parent = file.get_parent(name)
    match parent:
        case cst.Attribute(attr=own) | cst.Arg(keyword=own) | cst.Param(name=own):
            return own is not name
        case cst.AnnAssign(target=own) | cst.NamedExpr(target=own) | cst.For(target=own):
            return own is not name
    return not isinstance(parent, _NAMING)


def get_alias(file: ParsedFile, node: cst.CSTNode) -> cst.Name | None:
    """Return the other name under which an import binds a name, if it does."""
    match file.get_parent(node):
        case cst.ImportAlias(name=name, asname=cst.AsName(name=cst.Name() as alias)):
            return alias if name is node else None
    return None


def is_global(function: cst.FunctionDef, name: str) -> bool:
    """Return whether a function declares a name `global`."""
    listed = m.Global(names=[m.ZeroOrMore(), m.NameItem(m.Name(name)), m.ZeroOrMore()])
    return bool(m.findall(function.body, listed))


def is_in_class(file: ParsedFile, node: cst.CSTNode) -> bool:
    """Return whether a name is bound by the body of a class."""
    above = file.get_parent(node)
    while above is not None and not isinstance(above, cst.FunctionDef):
        if isinstance(above, cst.ClassDef):
            return True
        above = file.get_parent(above)
    return False
