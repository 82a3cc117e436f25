"""A duration on the command line: "300ms", "1.5s"."""

from __future__ import annotations

import math
import re

import click

_UNITS_MS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0}
_PATTERN = re.compile(r"(\d+\.?\d*|\.\d+) ?(ms|s|m)", re.ASCII)


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in new clicks alone
    """A duration with its unit, as milliseconds; more than none, and finite."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the milliseconds.

        Raises:
            click.BadParameter: It has no unit, or is no number.
        """
        if isinstance(value, float):  # click converts what it has converted already
            return value
        found = _PATTERN.fullmatch(str(value).strip())
        duration_ms = float(found[1]) * _UNITS_MS[found[2]] if found else 0.0
        if not 0 < duration_ms < math.inf:
            self.fail(f"{value!r} is no duration. Write 300ms, 1.5s or 2m.", param, ctx)
        return duration_ms
