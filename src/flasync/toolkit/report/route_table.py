"""The table of routes, the most promising first."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import JustifyMethod
from rich.table import Table

from flasync.toolkit.finding import RouteReport, ScanReport, Verdict
from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.wording import (
    VERDICTS,
    count,
    describe_waiting,
    format_duration,
    format_share,
)

# Routes up to which all are shown, and how many are shown of more.
_ALL_UP_TO = 24
_SHOWN_OF_MORE = 16

# Verdicts after which there is nothing to do.
_SETTLED = (Verdict.READY, Verdict.LEAVE)

# Columns that a route needs; where they lack, the table becomes a list.
_MIN_ROUTE = 40

# Blanks that the table puts around a column, and the least for what a route waits for.
_COLUMN_GAP = 3
_MIN_WAITS = 16

STYLES = {
    Verdict.READY: "green",
    Verdict.FIXABLE: "bold yellow",
    Verdict.OFFLOAD: "yellow",
    Verdict.LEAVE: "dim",
    Verdict.UNKNOWN: "magenta",
}


def write_route_table(writer: Writer, report: ScanReport, verbose: bool) -> None:
    """Write a row for each route; of many only the first, and how many are left out."""
    routes = report.routes
    shown = routes if verbose or len(routes) <= _ALL_UP_TO else _choose(routes)
    widths = _share_width(writer.console.width, shown)
    if widths[1] < min(max(len(route.id) for route in shown), _MIN_ROUTE):
        _write_list(writer, shown)
    else:
        writer.write_table(_build_table(writer, shown, widths))
    left = Counter(route.verdict for route in routes)
    left.subtract(route.verdict for route in shown)
    if left.total():
        parts = [f"{left[verdict]} {verdict}" for verdict in VERDICTS if left[verdict]]
        more = count(left.total(), "more route")
        writer.write((f"… and {more}: {', '.join(parts)}. --verbose shows all.", "dim"), indent=1)


def _choose(routes: tuple[RouteReport, ...]) -> tuple[RouteReport, ...]:
    """Return the first routes of many; where some ask for something, those alone."""
    asking = tuple(route for route in routes if route.verdict not in _SETTLED)
    return (asking or routes)[:_SHOWN_OF_MORE]


def format_waiting(route: RouteReport) -> str:
    """Return the observed share of waiting, such as "94 % of 318 ms"; empty when not observed."""
    if route.waiting_share is None or route.mean_ms is None:
        return ""
    return f"{format_share(route.waiting_share)} of {format_duration(route.mean_ms)}"


def _build_table(writer: Writer, routes: tuple[RouteReport, ...], widths: list[int]) -> Table:
    titles = ("Verdict", "Route", "Waits for", "Findings", "Waited")[: len(widths)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold")
    for title, width in zip(titles, widths, strict=True):
        justify: JustifyMethod = "right" if title == "Findings" else "left"
        table.add_column(title, width=width, justify=justify, overflow="fold")
    for route in routes:
        cells = [
            writer.text((route.verdict.value, STYLES[route.verdict])),
            writer.text(route.id),
            writer.text((describe_waiting(route), "" if route.hits else "dim")),
            writer.text(str(len(route.hits))),
            writer.text(format_waiting(route) or ("-", "dim")),
        ]
        table.add_row(*cells[: len(table.columns)])
    return table


def _share_width(width: int, routes: tuple[RouteReport, ...]) -> list[int]:
    """Return the columns' widths: what routes wait for is broken before the routes are.

    The last column is there when a run was observed.
    """
    observed = any(route.requests for route in routes)
    verdict, findings = len("Verdict"), len("Findings")
    longest = max(len("Waited"), *(len(format_waiting(route)) for route in routes))
    waited = [longest] if observed else []
    rest = width - verdict - findings - sum(waited) - (4 + len(waited)) * _COLUMN_GAP
    longest = max(len("Waits for"), *(len(describe_waiting(route)) for route in routes))
    waits = min(longest, max(rest // 3, _MIN_WAITS))
    route = min(max(len(route.id) for route in routes), rest - waits)
    return [verdict, route, min(longest, rest - route), findings, *waited]


def _write_list(writer: Writer, routes: tuple[RouteReport, ...]) -> None:
    for route in routes:
        writer.write((f"{route.verdict.value:8}", STYLES[route.verdict]), route.id, hanging=8)
        details = [describe_waiting(route), format_waiting(route)]
        if any(details):
            writer.write((" · ".join(filter(None, details)), "dim"), indent=8)
