"""How the local variables of a function change from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasync.toolkit.tracing.shown_values import show_variable
from flasync.toolkit.tracing.trace import Variable

# Variables of a function that are followed.
_MOST_FOLLOWED = 40


class VariableTracker:
    """Compares what a function's variables are with what they were.

    Args:
        is_on: Whether anything is shown at all.
    """

    def __init__(self, is_on: bool) -> None:
        self._is_on = is_on
        self._known: dict[str, str] = {}

    def compare(self, variables: Mapping[str, Any] | None) -> tuple[Variable, ...]:
        """Return what has changed since the last time; None: there is nothing to look at."""
        if not self._is_on or variables is None:
            return ()
        return self.accept(self.read(variables))

    def read(self, variables: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables as they are shown, without comparing them yet."""
        if not self._is_on:
            return {}
        names = [name for name in variables if not name.startswith(".")][:_MOST_FOLLOWED]
        return {name: show_variable(name, variables[name]) for name in names}

    def accept(self, shown: dict[str, str]) -> tuple[Variable, ...]:
        """Return what has changed since the last time in variables that were read."""
        known, self._known = self._known, shown
        changed = [
            Variable(name, value, known.get(name, ""))
            for name, value in shown.items()
            if known.get(name) != value
        ]
        gone = [Variable(name, "", value) for name, value in known.items() if name not in shown]
        return (*changed, *gone)
