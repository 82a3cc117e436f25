"""The page of a verification: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import markupsafe

from flasync.toolkit.report import browser_words
from flasync.toolkit.report import verify_words as words
from flasync.toolkit.report.html import HIDDEN, build_environment, read_part, render_page
from flasync.toolkit.report.verify_chart import (
    KINDS,
    LATE_MS,
    ROWS_TOP,
    TURN,
    WIDTH,
    Chart,
    Row,
    build_charts,
    get_kind,
    list_client_parts,
    list_ticks,
    sum_phases,
)
from flasync.toolkit.report.verify_next import list_verify_steps
from flasync.toolkit.report.wording import count
from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import Outcome, Phase, Route, Run

_TEMPLATE = "verify.html"

# So many routes are open when the page is; the reader opens the others.
_OPEN_ROUTES = 3

# Shapes that are told apart by a pattern, not by their colour alone.
_PATTERNED = (Phase.QUEUED.value, Phase.THREAD.value, Phase.AWAITING.value, TURN)


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route as the page shows it."""

    route: Route
    anchor: str
    span_ms: float
    charts: list[Chart]
    is_open: bool

    @property
    def outcome(self) -> Outcome:
        """What came of it on the stack in question."""
        return self.route.measured[-1].judgement.outcome

    @property
    def slowest_wall_ms(self) -> float:
        """The longest time that a stack took for all requests."""
        return max(measured.load.wall_ms for measured in self.route.measured)

    @property
    def kinds(self) -> list[str]:
        """The kinds of shapes that its waterfalls have, those of the server first."""
        return [kind for kind in KINDS if any(kind in chart.shapes for chart in self.charts)]


def build_verify_html(run: Run, import_path: str | None = None) -> str:
    """Return the page.

    Args:
        run: What was seen and concluded.
        import_path: As the user named the app, for the commands to type.
    """
    environment = build_environment()
    environment.filters["ms"] = format_ms
    environment.globals.update(
        browser=browser_words,
        words=words,
        count=count,
        list_ticks=list_ticks,
        sum_phases=sum_phases,
        kind_of=get_kind,
        LATE_MS=LATE_MS,
        PATTERNED=_PATTERNED,
        PHASES=tuple(Phase),
        WIDTH=WIDTH,
        parts={part: _embed(part) for part in ("verify.css", "theme.js", "verify.js")},
    )
    entries = list(_list_entries(run))
    return render_page(
        environment,
        _TEMPLATE,
        run=run,
        entries=entries,
        is_compared=any(len(route.measured) > 1 for route in run.routes),
        slowest_wall_ms=max((entry.slowest_wall_ms for entry in entries), default=0.0),
        steps=list(list_verify_steps(run, import_path)),
        data=_build_data(entries),
    )


def _embed(name: str) -> markupsafe.Markup:
    return markupsafe.Markup(read_part(name))  # noqa: S704  a file of this package


def _list_entries(run: Run) -> Iterator[RouteEntry]:
    for number, route in enumerate(run.routes, 1):
        span_ms, charts = build_charts(route.measured)
        is_open = number <= _OPEN_ROUTES
        yield RouteEntry(route, f"r{number}", span_ms, charts, is_open)


def _build_data(entries: list[RouteEntry]) -> dict[str, Any]:
    """Return what the script needs to know of the requests."""
    texts = _Texts()
    routes = [
        {
            "span": round(entry.span_ms, 3),
            "panels": [_describe_chart(chart, texts) for chart in entry.charts],
        }
        for entry in entries
    ]
    return {"routes": routes, "texts": texts.list()}


class _Texts:
    """Numbers texts, of which a page has few and each a thousand times."""

    def __init__(self) -> None:
        self._numbers = {"": 0}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text.translate(HIDDEN), len(self._numbers))

    def list(self) -> list[str]:
        return [*self._numbers]


def _describe_chart(chart: Chart, texts: _Texts) -> dict[str, Any]:
    return {
        "rows": [_describe_row(row, texts) for row in chart.rows],
        "pings": [
            (round(ping.start_ms, 2), round(ping.end_ms, 2), ping.failed) for ping in chart.pings
        ],
        "rowHeight": chart.row_height,
        "rowsTop": ROWS_TOP,
        "end": max((row.request.end_ms for row in chart.rows), default=0.0),
    }


def _describe_row(row: Row, texts: _Texts) -> dict[str, Any]:
    request = row.request
    return {
        "number": row.number,
        "answer": texts.number(words.describe_answer(request)),
        "took": round(request.duration_ms, 2),
        "times": [
            (words.describe_shape(kind)[0], round(end_ms - start_ms, 2))
            for kind, start_ms, end_ms in list_client_parts(request)
        ],
        "marks": [
            (
                texts.number(words.describe_shape(get_kind(mark))[0]),
                round(mark.start_ms, 3),
                round(mark.end_ms, 3),
                texts.number(words.name_mark(mark)),
            )
            for mark in row.marks
        ],
    }
