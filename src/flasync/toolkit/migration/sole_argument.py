"""The one argument of a call in the place of the call: `fetch()` for `asyncio.run(fetch())`."""

from __future__ import annotations

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.recipe import LeaveAlone


def unwrap(call: cst.Call, argument: cst.Arg) -> cst.BaseExpression:
    """Return an argument as it stands without the call around it.

    Comments between the parentheses of the call stay, in parentheses of the argument's own.

    Args:
        call: The call.
        argument: Its only argument.

    Raises:
        LeaveAlone: A comment stands where nothing can keep it.
    """
    wanted = len(matchers.findall(call, matchers.Comment()))
    value = argument.value
    if len(matchers.findall(value, matchers.Comment())) == wanted:
        return value
    comma = argument.comma
    after = (
        comma.whitespace_after if isinstance(comma, cst.Comma) else argument.whitespace_after_arg
    )
    value = value.with_changes(
        lpar=[cst.LeftParen(whitespace_after=call.whitespace_before_args), *value.lpar],
        rpar=[*value.rpar, cst.RightParen(whitespace_before=after)],
    )
    if len(matchers.findall(value, matchers.Comment())) != wanted:
        raise LeaveAlone("a comment in it would be lost")
    return value
