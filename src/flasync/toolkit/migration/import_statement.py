"""One import statement: what it imports, as values, and how names join and leave it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst
from libcst.helpers import get_full_name_for_node

ImportNode = cst.Import | cst.ImportFrom

# Black's default. What is longer gets a name a line.
_LINE_LENGTH = 88
_INDENT = "    "

_Node = TypeVar("_Node", cst.Import, cst.ImportFrom)


@dataclass(frozen=True, slots=True)
class Import:
    """An import that new code needs.

    Attributes:
        module: Such as "asyncio" or "flasync"; with leading dots if relative.
        name: What to import from it; None for `import module`.
        alias: The name it gets here; None for its own.
    """

    module: str
    name: str | None = None
    alias: str | None = None

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]


def read_imports(node: ImportNode) -> Iterator[tuple[cst.ImportAlias, Import]]:
    """Yield what a statement imports, each with its node; nothing for `import *`."""
    module = read_module(node)
    for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
        name = get_full_name_for_node(alias.name) or ""
        asname = alias.evaluated_alias
        if isinstance(node, cst.Import):
            yield alias, Import(name, None, asname)
        else:
            yield alias, Import(module, name, asname)


def read_module(node: ImportNode) -> str:
    """Return the module that a `from` imports from, with its leading dots; "" for an `import`."""
    if isinstance(node, cst.Import):
        return ""
    name = get_full_name_for_node(node.module) if node.module is not None else ""
    return "." * len(node.relative) + (name or "")


def build_statement(wanted: Import) -> cst.SimpleStatementLine:
    """Return the statement that imports one name."""
    asname = None if wanted.alias is None else cst.AsName(name=cst.Name(wanted.alias))
    if wanted.name is None:
        alias = cst.ImportAlias(name=build_dotted(wanted.module), asname=asname)
        return cst.SimpleStatementLine([cst.Import(names=[alias])])
    path = wanted.module.lstrip(".")
    statement = cst.ImportFrom(
        module=build_dotted(path) if path else None,
        names=[cst.ImportAlias(name=cst.Name(wanted.name), asname=asname)],
        relative=[cst.Dot()] * (len(wanted.module) - len(path)),
    )
    return cst.SimpleStatementLine([statement])


def build_dotted(name: str) -> cst.Name | cst.Attribute:
    """Return the expression `a.b.c` for a dotted name."""
    first, *others = name.split(".")
    expression: cst.Name | cst.Attribute = cst.Name(first)
    for part in others:
        expression = cst.Attribute(expression, cst.Name(part))
    return expression


def build_name_key(name: str) -> tuple[str, str, str]:
    """Return by what isort orders the names of one statement: CONSTANTS, Classes, the others."""
    if name.isupper() and len(name) > 1:
        kind = "A"
    else:
        kind = "B" if name[:1].isupper() else "C"
    return kind, name.lower(), name


def insert_name(node: cst.ImportFrom, name: str) -> cst.ImportFrom:
    """Return a statement that imports one more name: in its place if the names are sorted."""
    assert not isinstance(node.names, cst.ImportStar)  # noqa: S101  the caller has asked
    names = list(node.names)
    keys = [build_name_key(get_full_name_for_node(alias.name) or "") for alias in names]
    key = build_name_key(name)
    later = (index for index, other in enumerate(keys) if other > key)
    index = next(later, len(names)) if keys == sorted(keys) else len(names)
    alias = cst.ImportAlias(name=cst.Name(name))
    if index == len(names):
        return _append(node, names, alias)
    comma = _build_comma(_find_separator(node, names))
    names.insert(index, alias.with_changes(comma=comma))
    return node.with_changes(names=names)


def remove_names(node: _Node, gone: Collection[cst.ImportAlias]) -> _Node:
    """Return a statement without some of its names, of which others stay."""
    assert not isinstance(node.names, cst.ImportStar)  # noqa: S101  it has names
    names = [alias for alias in node.names if alias not in gone]
    was_last, last = node.names[-1], names[-1]
    if last is was_last:
        return node.with_changes(names=names)
    if isinstance(was_last.comma, cst.Comma):
        after = was_last.comma.whitespace_after
        names[-1] = last.with_changes(comma=_build_comma(_replace_last_line(last, after)))
        return node.with_changes(names=names)
    names[-1] = last.with_changes(comma=cst.MaybeSentinel.DEFAULT)
    if isinstance(node, cst.ImportFrom) and node.rpar is not None:
        after = _replace_last_line(last, node.rpar.whitespace_before)
        rpar = node.rpar.with_changes(whitespace_before=after)
        return node.with_changes(names=names, rpar=rpar)
    return node.with_changes(names=names)


def _replace_last_line(
    alias: cst.ImportAlias, after: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """Return what stands after a name, its comment included, but before what comes last."""
    own = alias.comma.whitespace_after if isinstance(alias.comma, cst.Comma) else after
    if isinstance(own, cst.ParenthesizedWhitespace) and isinstance(
        after, cst.ParenthesizedWhitespace
    ):
        return after.with_changes(first_line=own.first_line)
    return after


def explode(line: cst.SimpleStatementLine, width: int) -> cst.SimpleStatementLine:
    """Return a statement with a name a line, as Black has it, if it is too long for one.

    Args:
        line: A `from … import …` and nothing else.
        width: How many characters it takes on one line.
    """
    node = line.body[0]
    if width <= _LINE_LENGTH or not isinstance(node, cst.ImportFrom):
        return line
    assert not isinstance(node.names, cst.ImportStar)  # noqa: S101  that fits into a line
    names = [alias.with_changes(comma=_build_comma(_build_break(_INDENT))) for alias in node.names]
    names[-1] = names[-1].with_changes(comma=_build_comma(_build_break("")))
    trailing = line.trailing_whitespace
    # A comment for linters counts where the statement begins.
    first = _build_break(_INDENT).with_changes(
        first_line=cst.TrailingWhitespace(
            trailing.whitespace if trailing.comment else cst.SimpleWhitespace(""), trailing.comment
        )
    )
    exploded = node.with_changes(
        names=names, lpar=cst.LeftParen(whitespace_after=first), rpar=cst.RightParen()
    )
    return line.with_changes(
        body=[exploded],
        trailing_whitespace=trailing.with_changes(
            whitespace=cst.SimpleWhitespace(""), comment=None
        ),
    )


def _append(
    node: cst.ImportFrom, names: list[cst.ImportAlias], alias: cst.ImportAlias
) -> cst.ImportFrom:
    last = names[-1]
    if isinstance(last.comma, cst.Comma):
        # What follows its comma goes to the new last name, but for a comment.
        before, after = _split_break(last.comma.whitespace_after)
        if before is not None:
            before = before.with_changes(last_line=_get_last_line(_find_separator(node, names)))
        names[-1] = last.with_changes(
            comma=last.comma.with_changes(whitespace_after=before or cst.SimpleWhitespace(" "))
        )
        names.append(alias.with_changes(comma=_build_comma(after)))
        return node.with_changes(names=names)
    separator = _find_separator(node, names)
    names[-1] = last.with_changes(comma=_build_comma(separator))
    rpar = node.rpar
    if rpar is not None:
        before, after = _split_break(rpar.whitespace_before)
        if before is not None and isinstance(separator, cst.ParenthesizedWhitespace):
            names[-1] = last.with_changes(
                comma=_build_comma(before.with_changes(last_line=separator.last_line))
            )
            rpar = rpar.with_changes(whitespace_before=after)
    names.append(alias)
    return node.with_changes(names=names, rpar=rpar)


def _find_separator(
    node: cst.ImportFrom, names: Sequence[cst.ImportAlias]
) -> cst.BaseParenthesizableWhitespace:
    """Return what stands between two names of a statement, comments left out."""
    if len(names) > 1:
        comma = names[0].comma
        between = comma.whitespace_after if isinstance(comma, cst.Comma) else None
    else:
        between = node.lpar.whitespace_after if node.lpar is not None else None
    if isinstance(between, cst.ParenthesizedWhitespace):
        return _build_break(between.last_line.value, indent=between.indent)
    return cst.SimpleWhitespace(" ")


def _split_break(
    whitespace: cst.BaseParenthesizableWhitespace,
) -> tuple[cst.ParenthesizedWhitespace | None, cst.BaseParenthesizableWhitespace]:
    """Return whitespace with a line break in two: with its comments, and without."""
    if not isinstance(whitespace, cst.ParenthesizedWhitespace):
        return None, whitespace
    return whitespace, _build_break(whitespace.last_line.value, indent=whitespace.indent)


def _get_last_line(whitespace: cst.BaseParenthesizableWhitespace) -> cst.SimpleWhitespace:
    if isinstance(whitespace, cst.ParenthesizedWhitespace):
        return whitespace.last_line
    return cst.SimpleWhitespace("")


def _build_break(last_line: str, *, indent: bool = True) -> cst.ParenthesizedWhitespace:
    return cst.ParenthesizedWhitespace(indent=indent, last_line=cst.SimpleWhitespace(last_line))


def _build_comma(after: cst.BaseParenthesizableWhitespace) -> cst.Comma:
    return cst.Comma(whitespace_after=after)
