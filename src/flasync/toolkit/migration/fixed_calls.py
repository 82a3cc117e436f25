"""Calls that stay as they are written: their text or their frame is part of what they do."""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import Span
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.waiting_sites import locate_call, locate_function

# Built-in functions that look at who calls them.
_READS_FRAME = frozenset({"dir", "eval", "exec", "globals", "locals", "super", "vars"})
# What the end of `f"{call()=}"` looks like, with a conversion or a format behind it or not.
_SHOWS_TEXT = re.compile(r"=\s*[}!:]")


class FixedCalls:
    """The calls of a project that stay as they are written.

    Args:
        files: The files that may change.
    """

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files

    def explain(self, span: Span) -> str:
        """Return why a call stays as it is written, the end of a sentence; "" when it need not."""
        file = self._files.get(span.file)
        call = file.find_call(span) if file is not None else None
        if file is None or call is None:
            return ""
        if isinstance(call.func, cst.Name) and call.func.value in _READS_FRAME:
            return f"`{call.func.value}` looks at the function that calls it"
        if _SHOWS_TEXT.search(file.text) and _is_shown(file, call):
            return "an f-string prints its text beside its value"
        return ""

    def list_called(self, functions: Iterable[FunctionNode]) -> frozenset[Span]:
        """Return the functions of the project with a call that stays as it is written."""
        return frozenset(
            span
            for function in functions
            for site in function.sites
            for target, _ in site.targets
            if (span := locate_function(target)) is not None
            and (call := locate_call(function, site)) is not None
            and self.explain(call)
        )


def _is_shown(file: ParsedFile, node: cst.CSTNode) -> bool:
    """Return whether a node is part of what `f"{...=}"` prints as it is written."""
    above = file.get_parent(node)
    while above is not None:
        if isinstance(above, cst.FormattedStringExpression) and above.equal is not None:
            return True
        above = file.get_parent(above)
    return False
