"""The report of a verification for people, on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from flasync.toolkit.report.browser_words import list_browser_lines
from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.verify_next import list_verify_steps
from flasync.toolkit.report.verify_table import (
    STYLES,
    name_route,
    write_comparison,
    write_holds,
    write_routes,
)
from flasync.toolkit.report.verify_waterfall import (
    LOOKS,
    Span,
    choose_rows,
    draw_pings,
    draw_request,
    list_used,
)
from flasync.toolkit.report.verify_words import build_verify_headline, list_findings
from flasync.toolkit.verifying.judging import format_ms, measure_alone
from flasync.toolkit.verifying.run import Hold, Load, Measured, Outcome, Request, Route, Run

# Rows of a waterfall by the number of routes: (up to so many routes, so many rows).
_ROWS = ((1, 25), (4, 12))
_ROWS_OF_MANY = 8
_HOLDS_SHOWN = 5
# Of the time of all requests, from which on a hold is shown.
_LEAST_SHARE = 0.02

# Columns beside the bars: number, duration, status, and the blanks between them.
_OTHER_COLUMNS = 20
_MIN_BAR_COLUMNS = 10

_FIRST_ERROR_STATUS = 400

# Routes that need no look: of many, no waterfall is drawn for them.
_QUIET = (Outcome.OVERLAPS, Outcome.UNDECIDED)


def print_run(
    run: Run,
    console: Console,
    *,
    failed: Sequence[str] = (),
    import_path: str | None = None,
    verbose: bool = False,
) -> None:
    """Print the verdict, then its evidence, then what to do next.

    Args:
        run: What was seen and concluded.
        console: Where to; `terminal.build_console` makes a fitting one.
        failed: A sentence for each check that it has not passed.
        import_path: As the user named the app, for the commands to type; None when unnamed.
        verbose: Whether nothing is left out.
    """
    writer = Writer(console)
    _write_summary(writer, run, failed)
    shown = _choose_drawn(run.routes, verbose)
    for route in shown:
        _write_route(writer, route, run, verbose)
    if len(shown) < len(run.routes):
        writer.blank()
        writer.write(("--verbose draws the requests of every route.", "dim"))
    if shown:
        _write_legend(writer, run)
    _write_facts(writer, run)
    steps = list(list_verify_steps(run, import_path))
    if steps:
        writer.heading("What to do next")
    for number, step in enumerate(steps, 1):
        writer.write(f"{number}. {step.what}", hanging=3)
        for command in step.commands:
            writer.write_command(command)


def _write_summary(writer: Writer, run: Run, failed: Sequence[str]) -> None:
    style = "bold"
    if len(run.routes) == 1:
        style = STYLES[run.routes[0].measured[-1].judgement.outcome]
    writer.write((build_verify_headline(run), style))
    for sentence in list_findings(run):
        writer.write(sentence)
    if failed:
        writer.blank()
        for sentence in failed:
            writer.write(("Check failed: ", "bold red"), sentence, hanging=2)
    if run.routes:
        writer.blank()
        write_routes(writer, run.routes)


def _choose_drawn(routes: tuple[Route, ...], verbose: bool) -> tuple[Route, ...]:
    if verbose or len(routes) <= _ROWS[-1][0]:
        return routes
    return tuple(route for route in routes if not _is_quiet(route))


def _is_quiet(route: Route) -> bool:
    return all(measured.judgement.outcome in _QUIET for measured in route.measured[-1:])


def _write_route(writer: Writer, route: Route, run: Run, verbose: bool) -> None:
    writer.heading(name_route(route))
    measured = route.measured[-1]
    if len(run.routes) > 1:
        judgement = measured.judgement
        writer.write((judgement.sentence, STYLES[judgement.outcome]))
        writer.blank()
    if len(route.measured) > 1:
        write_comparison(writer, route)
        writer.blank()
    _write_browser(writer, route)
    rows = _count_rows(len(run.routes), len(route.measured))
    wall_ms = max(each.load.wall_ms for each in route.measured)
    for each in route.measured:
        _write_waterfall(writer, each, wall_ms, rows)
    holds = measured.holds if verbose else _choose_holds(measured)
    if holds:
        writer.blank()
        writer.write("Where the time went, of all requests together:")
        write_holds(writer, holds)


def _write_browser(writer: Writer, route: Route) -> None:
    lines = list(list_browser_lines(route))
    if lines:
        writer.write("In a browser:")
    for line in lines:
        writer.write(line, indent=2, hanging=2)
    writer.blank()


def _choose_holds(measured: Measured) -> tuple[Hold, ...]:
    """Return the longest holds, without those that hardly matter."""
    least_ms = _LEAST_SHARE * sum(request.duration_ms for request in measured.load.requests)
    return tuple(hold for hold in measured.holds if hold.total_ms >= least_ms)[:_HOLDS_SHOWN]


def _count_rows(routes: int, stacks: int) -> int:
    rows = next((rows for most, rows in _ROWS if routes <= most), _ROWS_OF_MANY)
    return max(_ROWS_OF_MANY, rows // stacks)


def _write_waterfall(writer: Writer, measured: Measured, wall_ms: float, rows: int) -> None:
    """Write the bars of a load. Those of all stacks of a route have one scale: `wall_ms`."""
    load = measured.load
    columns = max(_MIN_BAR_COLUMNS, writer.console.width - _OTHER_COLUMNS)
    drawn = choose_rows(load.requests, rows)
    left_out = len(load.requests) - len(drawn)
    more = f" ({left_out} of {len(load.requests)} are not drawn)" if left_out else ""
    writer.write(
        (measured.stack, "bold"),
        f": one alone {format_ms(measure_alone(load))}, {len(load.requests)} at once"
        f" {format_ms(load.wall_ms)}{more}",
        hanging=2,
    )
    writer.console.print(_draw_axis(writer, wall_ms, columns), soft_wrap=True)
    for number, request in drawn:
        line = writer.text((f"{number:>4} ", "dim"))
        line.append_text(_draw_bar(writer, request, wall_ms, columns))
        line.append(f" {format_ms(request.duration_ms):>7} ")
        line.append_text(writer.text(_describe_status(request)))
        writer.console.print(line, soft_wrap=True)
    _write_pings(writer, load, wall_ms, columns)
    writer.blank()


def _draw_axis(writer: Writer, wall_ms: float, columns: int) -> Text:
    end = format_ms(wall_ms)
    return writer.text(("     0" + end.rjust(columns - 1), "dim"))


def _draw_bar(writer: Writer, request: Request, wall_ms: float, columns: int) -> Text:
    line = Text()
    for span in draw_request(request, wall_ms, columns):
        line.append(*_draw_cell(writer, span))
    return line


def _draw_cell(writer: Writer, span: Span | None) -> tuple[str, str]:
    if span is None:
        return " ", ""
    look = LOOKS[span]
    return (look.character if _has_blocks(writer) else look.ascii), look.style


def _has_blocks(writer: Writer) -> bool:
    return writer.console.encoding.startswith("utf")


def _write_pings(writer: Writer, load: Load, wall_ms: float, columns: int) -> None:
    """Write a row below the bars: where another route had to wait meanwhile, if anywhere."""
    slow = draw_pings(load.pings, wall_ms, columns)
    if not any(slow):
        return
    mark = "▲" if _has_blocks(writer) else "^"
    row = "".join(mark if cell else " " for cell in slow).rstrip()
    writer.console.print(Text("     ").append(row, "bold red"), soft_wrap=True)
    writer.write((f"{mark} another route, asked meanwhile, had to wait", "dim"), indent=5)


def _describe_status(request: Request) -> tuple[str, str]:
    if request.status is None:
        return "failed", "bold red"
    return str(request.status), "bold red" if request.status >= _FIRST_ERROR_STATUS else "dim"


def _write_legend(writer: Writer, run: Run) -> None:
    loads = (measured.load for route in run.routes for measured in route.measured)
    writer.blank()
    for span in list_used(loads):
        character, style = _draw_cell(writer, span)
        writer.write((character, style), f" {LOOKS[span].meaning}", indent=2, hanging=2)
    failures = {
        request.failure
        for route in run.routes
        for request in route.measured[-1].load.requests
        if request.failure
    }
    for failure in sorted(failures):
        writer.write(("failed", "bold red"), f": {failure}", indent=2, hanging=2)


def _write_facts(writer: Writer, run: Run) -> None:
    parts = [
        f"Python {run.python}" if run.python else "",
        f"{run.cores} cores" if run.cores else "",
        f"the client adds {format_ms(run.client_ms)} to a request" if run.client_ms else "",
    ]
    facts = ", ".join(filter(None, parts))
    if facts:
        writer.blank()
        writer.write((f"Measured with {facts}.", "dim"))
