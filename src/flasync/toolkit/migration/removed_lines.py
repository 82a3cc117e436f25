"""A body without some of its lines: the comments above them stay, the blank lines fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst

_Body = TypeVar("_Body", cst.Module, cst.IndentedBlock)


def close_gaps(original: _Body, updated: _Body, removed: Collection[cst.CSTNode]) -> _Body:
    """Return a body whose statements have the comments and blank lines above removed ones.

    Args:
        original: The body as it was.
        updated: The body without the removed statements.
        removed: Statements, of this body and of others.
    """
    gone = set(original.body).intersection(removed)
    if not gone:
        return updated
    is_below_header = isinstance(original, cst.Module) and bool(original.header)
    joined: _Joined = _join(
        original.body, iter(updated.body), gone, is_below_header=is_below_header
    )
    return updated.with_changes(body=joined.statements, footer=[*joined.below, *updated.footer])


@dataclass(frozen=True, slots=True)
class _Joined:
    """The statements that are left, and the comments that no statement follows."""

    statements: list[cst.CSTNode]
    below: list[cst.EmptyLine]


def _join(
    children: Iterable[cst.CSTNode],
    left: Iterator[cst.CSTNode],
    removed: Collection[cst.CSTNode],
    *,
    is_below_header: bool,
) -> _Joined:
    """Return the statements that are left, those after removed ones with the lines above them."""
    statements: list[cst.CSTNode] = []
    carried: list[cst.EmptyLine] | None = None
    for child in children:
        if child in removed:
            carried = [*(carried or ()), *get_lines(child)]
            continue
        statement = next(left)
        if carried is not None:
            is_top = not statements and not is_below_header
            statement = _take_over(statement, carried, is_top=is_top)
            carried = None
        statements.append(statement)
    return _Joined(statements, [line for line in carried or () if line.comment])


def get_lines(statement: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    """Return the comments and blank lines above a statement."""
    lines: Sequence[cst.EmptyLine] = getattr(statement, "leading_lines", ())
    return lines


def _take_over(
    statement: cst.CSTNode, carried: Sequence[cst.EmptyLine], *, is_top: bool
) -> cst.CSTNode:
    """Return a statement that stands where removed ones stood, with the lines above those."""
    own = list(get_lines(statement))
    if any(line.comment for line in carried):
        return statement.with_changes(leading_lines=[*carried, *own])
    if is_top:
        count = next((at for at, line in enumerate(own) if line.comment), len(own))
        return statement.with_changes(leading_lines=own[count:])
    if own and own[0].comment is None:
        return statement
    return statement.with_changes(leading_lines=[*carried, *own])
