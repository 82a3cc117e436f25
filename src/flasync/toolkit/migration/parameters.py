"""Which parameter of a function an argument of a call goes to."""

from __future__ import annotations

import libcst as cst

from flasync.toolkit.migration.parsed_file import FunctionNode


def list_parameters(function: FunctionNode) -> list[str]:
    """Return the names of the parameters that may be given by position."""
    parameters = [*function.params.posonly_params, *function.params.params]
    return [parameter.name.value for parameter in parameters]


def choose_parameter(
    function: cst.FunctionDef, call: cst.Call, arg: cst.Arg, *, is_method: bool
) -> str | None:
    """Return the name of the parameter that an argument of a call goes to; None if not known."""
    names = list_parameters(function)
    if arg.keyword is not None:
        keywords = [*names, *(parameter.name.value for parameter in function.params.kwonly_params)]
        return arg.keyword.value if arg.keyword.value in keywords else None
    if arg.star or any(other.star for other in call.args):
        return None
    position = list(call.args).index(arg) + (1 if is_method else 0)
    return names[position] if position < len(names) else None
