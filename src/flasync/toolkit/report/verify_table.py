"""What a run has measured, as tables: all its routes, one route on two stacks, and the holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich import box
from rich.console import JustifyMethod
from rich.measure import Measurement
from rich.table import Table

from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.verify_words import (
    describe_blocking,
    describe_concurrency,
    describe_sameness,
)
from flasync.toolkit.report.wording import count
from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import Hold, Measured, Outcome, Phase, Route

STYLES = {
    Outcome.OVERLAPS: "bold green",
    Outcome.LIMITED: "bold yellow",
    Outcome.SERIAL: "bold red",
    Outcome.CPU_BOUND: "bold yellow",
    Outcome.UNDECIDED: "dim",
    Outcome.FAILED: "bold red",
}

# How a hold of a phase is told: in which way the requests were there.
_HOLDS = {
    Phase.LOOP: "held the loop",
    Phase.THREAD: "in a thread",
    Phase.AWAITING: "awaited",
    Phase.QUEUED: "waited for a thread",
    Phase.SENDING: "sent",
}

# Columns from which on long routes are folded, so that the table fits; else it becomes a list.
_ROOMY_WIDTH = 86

# Wider than any table, so that nothing of it is folded while it is measured.
_ANY_WIDTH = 10_000


def write_routes(writer: Writer, routes: tuple[Route, ...]) -> None:
    """Write a row for each route, with the figures of the stack in question."""
    table = _build_route_table(writer, routes)
    options = writer.console.options.update_width(_ANY_WIDTH)
    width = Measurement.get(writer.console, options, table).maximum
    if min(width, _ROOMY_WIDTH) > writer.console.width:
        _write_route_list(writer, routes)
    else:
        writer.write_table(table)


def write_comparison(writer: Writer, route: Route) -> None:
    """Write what each stack made of a route, side by side, or below each other where it is narrow.

    The last row says whether the answers are the same.
    """
    titles = [measured.stack for measured in route.measured]
    width = writer.console.width - _label_width() - 2 * len(titles)
    if width // len(titles) < max(map(len, _list_cells(route.measured))):
        _write_comparison_list(writer, route)
    else:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold")
        table.add_column("", no_wrap=True)
        for title in titles:
            table.add_column(writer.text(title), overflow="fold")
        for label, describe in _COMPARED.items():
            cells = (writer.text((describe(each), _style(label, each))) for each in route.measured)
            table.add_row(writer.text((label, "bold")), *cells)
        writer.write_table(table)
    difference = describe_sameness(route.sameness)
    if difference:
        writer.write(("The answers differ", "bold yellow"), f": {difference}.", hanging=2)
    elif route.sameness is not None:
        writer.write("The answers are the same: status, headers and body.")


def write_holds(writer: Writer, holds: Iterable[Hold]) -> None:
    """Write where the requests spent their time, the longest first."""
    for hold in holds:
        verb = f"waited for its turn ({hold.limit})" if hold.limit else _HOLDS[hold.phase]
        what = f"{verb} {format_ms(hold.total_ms)}"
        longest = f"{count(hold.requests, 'request')}, the longest {format_ms(hold.longest_ms)}"
        computed = f", {format_ms(hold.cpu_ms)} of it computing" if hold.cpu_ms >= 1 else ""
        where = " ".join(filter(None, (hold.place, f"`{hold.call}`" if hold.call else "")))
        writer.write(
            f"{where}: " if where else "",
            (what, "bold"),
            f" ({longest}{computed})",
            indent=2,
            hanging=2,
        )


def name_route(route: Route) -> str:
    """Return a route as people write it, such as "GET /books"."""
    return f"{route.method} {route.path}"


def _build_route_table(writer: Writer, routes: tuple[Route, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("Route", overflow="fold")
    table.add_column("Lane", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for title in ("Overlap", "p50", "p99", "Bystander"):
        table.add_column(title, justify="right", no_wrap=True)
    for route in routes:
        measured = route.measured[-1]
        table.add_row(
            writer.text(name_route(route)),
            writer.text(route.lane or ("-", "dim")),
            writer.text(_style_outcome(measured)),
            *map(writer.text, _list_figures(measured)),
        )
    return table


def _describe_latency(measured: Measured) -> str:
    judgement = measured.judgement
    return f"p50 {format_ms(judgement.p50_ms)}, p99 {format_ms(judgement.p99_ms)}"


_COMPARED: dict[str, Callable[[Measured], str]] = {
    "Server blocking": describe_blocking,
    "Concurrent requests": describe_concurrency,
    "Response latency": _describe_latency,
    "All answered after": lambda measured: format_ms(measured.load.wall_ms),
    "Verdict": lambda measured: measured.judgement.outcome.value,
}


def _label_width() -> int:
    return max(map(len, _COMPARED)) + 2


def _list_cells(measured: Iterable[Measured]) -> list[str]:
    return [describe(each) for each in measured for describe in _COMPARED.values()]


def _style(label: str, measured: Measured) -> str:
    return STYLES[measured.judgement.outcome] if label == "Verdict" else ""


def _style_outcome(measured: Measured) -> tuple[str, str]:
    outcome = measured.judgement.outcome
    return outcome.value, STYLES[outcome]


def _list_figures(measured: Measured) -> Iterable[str]:
    judgement = measured.judgement
    if judgement.outcome is Outcome.FAILED:
        return ["-"] * 4
    return (
        f"{judgement.overlap:.1f} of {len(measured.load.requests)}",
        format_ms(judgement.p50_ms),
        format_ms(judgement.p99_ms),
        format_ms(judgement.bystander_ms) if measured.load.pings else "-",
    )


def _write_route_list(writer: Writer, routes: tuple[Route, ...]) -> None:
    justified: JustifyMethod = "right"
    for route in routes:
        measured = route.measured[-1]
        lane = f"  ({route.lane})" if route.lane else ""
        writer.write((name_route(route), "bold"), lane, hanging=2)
        writer.write(_style_outcome(measured), indent=2)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column()
        grid.add_column(justify=justified)
        titles = ("at a time", "p50", "p99", "bystander")
        for title, figure in zip(titles, _list_figures(measured), strict=True):
            grid.add_row(writer.text((title, "dim")), writer.text(figure))
        writer.write_table(grid, indent=4)


def _write_comparison_list(writer: Writer, route: Route) -> None:
    for label, describe in _COMPARED.items():
        writer.write((label, "bold"))
        for measured in route.measured:
            writer.write(
                (f"{measured.stack}: ", "dim"),
                (describe(measured), _style(label, measured)),
                indent=2,
                hanging=2,
            )
