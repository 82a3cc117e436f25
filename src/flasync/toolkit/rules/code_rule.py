"""What the rules about misused async and shared state have in common: how they report."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from typing import ClassVar

from flasync.toolkit.finding import Finding, Place
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.rules.rule import Program, Rule


class CodeRule(Rule):
    """A rule that reports each place and subject once.

    The call graph has a function as often as it is called with other kinds of arguments, so the
    same line is come across several times.
    """

    advice: ClassVar[str]
    """One line: what to do."""

    def find(self, program: Program) -> Iterable[Finding]:
        """Return what `look` finds, each once."""
        found: dict[tuple[Place, str], Finding] = {}
        for finding in self.look(program):
            found.setdefault((finding.place, finding.subject), finding)
        return found.values()

    @abc.abstractmethod
    def look(self, program: Program) -> Iterator[Finding]:
        """Yield what is wrong; the same thing may come several times."""

    def report(
        self, place: Place, subject: str, message: str, function: FunctionNode | None = None
    ) -> Finding:
        """Return a finding of this rule."""
        return Finding(
            code=self.code,
            rule=self.name,
            severity=self.severity,
            place=place,
            message=message,
            advice=self.advice,
            subject=subject,
            function=function.name if function is not None else "",
        )
