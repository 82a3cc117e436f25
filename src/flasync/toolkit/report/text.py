"""The report for people, on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from flasync.toolkit.finding import RouteReport, ScanReport
from flasync.toolkit.report.finding_blocks import FindingBlocks
from flasync.toolkit.report.next_steps import (
    NextStep,
    list_next_steps,
    list_route_steps,
)
from flasync.toolkit.report.outline import Outline, Section
from flasync.toolkit.report.route_table import STYLES, format_waiting, write_route_table
from flasync.toolkit.report.summary import (
    WHY_WAITING_MATTERS,
    build_best_start,
    build_headline,
    build_scope,
    build_widest_change,
    list_remarks,
    list_verdicts,
)
from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.wording import count, describe_waiting, end_sentence

# Routes up to which the reasons of their verdicts are written without --verbose.
_REASONS_UP_TO = 3

_WITH_CHAINS = (Section.BLOCKING, Section.UNSAFE)


def print_report(
    report: ScanReport,
    console: Console,
    *,
    verbose: bool = False,
    import_path: str | None = None,
) -> None:
    """Print the verdict, then its evidence, then what to do next.

    Args:
        report: What was found.
        console: Where to; `terminal.build_console` makes a fitting one.
        verbose: Whether nothing is left out.
        import_path: As the user named the app, for the commands to type; None when unnamed.
    """
    writer = Writer(console)
    outline = Outline(report)
    _write_summary(writer, outline)
    if report.routes:
        writer.heading("Routes")
        write_route_table(writer, report, verbose)
        _write_reasons(writer, report.routes, verbose)
    _write_sections(writer, outline, verbose)
    if verbose:
        _write_unresolved(writer, report.routes)
    else:
        writer.write(("--verbose shows every finding and every call that was not followed.", "dim"))
    _write_steps(writer, list_next_steps(outline, import_path))


def print_routes(report: ScanReport, console: Console, *, import_path: str | None = None) -> None:
    """Print everything about a few routes that the user has chosen.

    Args:
        report: What was found on their way alone.
        console: Where to.
        import_path: As for `print_report`.
    """
    writer = Writer(console)
    for route in report.routes:
        _write_route(writer, route)
    outline = Outline(report)
    _write_sections(writer, outline, verbose=True)
    _write_unresolved(writer, report.routes)
    _write_steps(writer, list_route_steps(outline, import_path))


def print_findings(report: ScanReport, console: Console, *, verbose: bool = False) -> None:
    """Print the findings alone, as a check in CI wants them."""
    _write_sections(Writer(console), Outline(report), verbose)


def _write_sections(writer: Writer, outline: Outline, verbose: bool) -> None:
    blocks = FindingBlocks(writer, outline, verbose)
    for section, groups in outline.sections.items():
        writer.heading(section.value)
        for group in groups:
            if section in _WITH_CHAINS:
                blocks.write_group(group)
            else:
                blocks.write_short(group)


def _write_summary(writer: Writer, outline: Outline) -> None:
    report = outline.report
    writer.write((build_headline(report), "bold"))
    writer.blank()
    if outline.best_route is not None:
        sentences = (WHY_WAITING_MATTERS, build_best_start(outline), build_widest_change(outline))
        for sentence in filter(None, sentences):
            writer.write(sentence)
        writer.blank()
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for verdict, number, meaning in list_verdicts(report):
        grid.add_row(
            writer.text(f"{number:,}"),
            writer.text((verdict.value, STYLES[verdict])),
            writer.text(meaning),
        )
    writer.write_table(grid, indent=2)
    writer.blank()
    writer.write((build_scope(report), "dim"))
    for remark in list_remarks(outline):
        writer.write(remark)


def _write_reasons(writer: Writer, routes: tuple[RouteReport, ...], verbose: bool) -> None:
    if not verbose and len(routes) > _REASONS_UP_TO:
        return
    for route in routes:
        where = f" ({route.place})" if route.place is not None else ""
        verdict = (route.verdict.value, STYLES[route.verdict])
        writer.write(verdict, f"  {route.id}{where}: {end_sentence(route.reason)}", hanging=2)


def _write_route(writer: Writer, route: RouteReport) -> None:
    writer.write((route.id, "bold"), "  ", (route.verdict.value, STYLES[route.verdict]))
    writer.write(end_sentence(route.reason), indent=2)
    where = f" ({route.place})" if route.place is not None else ""
    writer.write(("View:      ", "dim"), f"{route.view}{where}", indent=2, hanging=11)
    writer.write(("Waits for: ", "dim"), describe_waiting(route) or "-", indent=2, hanging=11)
    waited = format_waiting(route)
    if waited:
        seen = f"{waited}, in {count(route.requests, 'request')}"
        writer.write(("Waited:    ", "dim"), seen, indent=2, hanging=11)


def _write_unresolved(writer: Writer, routes: tuple[RouteReport, ...]) -> None:
    unresolved = sorted({call for route in routes for call in route.unresolved})
    if unresolved:
        writer.heading("Calls that could not be resolved")
        for place, call in unresolved:
            writer.write((str(place), "bold"), f"  {call}", indent=2, hanging=2)


def _write_steps(writer: Writer, steps: Iterable[NextStep]) -> None:
    writer.heading("What to do next")
    for number, step in enumerate(steps, 1):
        writer.write(f"{number}. {step.what}", hanging=3)
        for command in step.commands:
            writer.write_command(command)
