"""The header `Server-Timing`: how long a request was in each phase, up to its response's start.

Source: W3C Server Timing, section 3, "The Server-Timing Header Field".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flasync.toolkit.verifying.run import Mark, Phase

NAME = "Server-Timing"

_METRIC = re.compile(
    r"""\s* (?P<name> [!#$%&'*+.^_`|~\w-]+ )
        (?P<parameters> (?: \s*;\s* [^\s=;,]+ \s* (?: =\s* (?: "(?:[^"\\]|\\.)*" | [^\s;,"]* )
        )? )* ) \s* (?: ,|$ )""",
    re.VERBOSE,
)
_DURATION = re.compile(r""";\s*dur\s*=\s*"?(\d+(?:\.\d+)?)"?""", re.IGNORECASE)

# Fewer milliseconds are not told.
_LEAST_MS = 0.05


def build_server_timing(totals: Mapping[Phase, float], before: str = "") -> str:
    """Return the header's value.

    Args:
        totals: Milliseconds in each phase, in the order of the header.
        before: What the app sends in that header itself.
    """
    metrics = [
        f"{phase.value};dur={spent_ms:.1f}"
        for phase, spent_ms in totals.items()
        if spent_ms >= _LEAST_MS
    ]
    return ", ".join([*filter(None, [before.strip()]), *metrics])


def parse_server_timing(value: str) -> dict[Phase, float]:
    """Return the milliseconds in each phase; metrics of others are left out.

    Args:
        value: The header's value; several headers joined by ", ".
    """
    phases = {phase.value: phase for phase in Phase}
    totals: dict[Phase, float] = {}
    for metric in _METRIC.finditer(value):
        phase = phases.get(metric["name"])
        duration = _DURATION.search(metric["parameters"])
        if phase is not None and duration is not None:
            totals[phase] = float(duration[1])
    return totals


def build_marks(totals: Mapping[Phase, float], end_ms: float) -> tuple[Mark, ...]:
    """Return marks of such lengths, one after another in the order of the phases, up to an end."""
    marks = []
    start_ms = end_ms - sum(totals.values())
    for phase in Phase:
        if phase in totals:
            marks.append(Mark(phase, start_ms, start_ms + totals[phase]))
            start_ms += totals[phase]
    return tuple(marks)
