"""The report of a migration for people, on a terminal or in a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from flasync.toolkit.migration.outcome import MigrationReport, Status
from flasync.toolkit.migration.plan import Left
from flasync.toolkit.report.migration_outline import (
    ChangeLine,
    MigrationStep,
    describe_fold,
    fold_steps,
    list_migration_steps,
    name_fold,
)
from flasync.toolkit.report.migration_words import (
    WHY_LOOP,
    build_migration_headline,
    describe_proof,
    group_left,
    list_migration_next,
    list_ways,
)
from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.wording import count, end_sentence, format_duration

_STATUS_STYLES = {
    Status.PLANNED: "cyan",
    Status.APPLIED: "green",
    Status.PROVED: "bold green",
    Status.UNDONE: "bold red",
    Status.SKIPPED: "dim",
}
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
# Routes that are named one by one for one reason without --verbose.
_ROUTES_NAMED = 4
_COMMIT_LETTERS = 10


def print_migration(
    report: MigrationReport,
    console: Console,
    *,
    import_path: str | None = None,
    diff: bool = True,
    verbose: bool = False,
) -> None:
    """Print what moves, then the steps, the changes, what is left and why, and what to do next.

    Args:
        report: What was done, or would be.
        console: Where to; `terminal.build_console` makes a fitting one.
        import_path: As the user named the app, for the commands to type.
        diff: Whether the changes are printed.
        verbose: Whether nothing is left out.
    """
    writer = Writer(console)
    _write_summary(writer, report)
    _write_steps(writer, report, verbose)
    if diff and report.diff:
        writer.heading("Changes")
        print_diff(report.diff, console)
        writer = Writer(console)
    _write_left(writer, report.left, verbose)
    _write_by_hand(writer, report)
    _write_next(writer, report, import_path)


def print_diff(diff: str, console: Console) -> None:
    """Print a unified diff, in colours where the terminal has them."""
    writer = Writer(console)
    for line in diff.splitlines():
        style = "bold" if line.startswith(("+++", "---")) else _DIFF_STYLES.get(line[:1], "")
        console.print(writer.text((line, style)), soft_wrap=True)


def _write_summary(writer: Writer, report: MigrationReport) -> None:
    writer.write((build_migration_headline(report), "bold"))
    if report.moved:
        writer.write(WHY_LOOP)
    if report.moved_before:
        ran = count(len(report.moved_before), "route runs", "routes run")
        writer.write(f"{ran} there already.")
    ways = list_ways(report)
    if ways:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_column()
        for number, way, meaning in ways:
            grid.add_row(writer.text(number), writer.text((way, "bold")), writer.text(meaning))
        writer.blank()
        writer.write_table(grid, indent=2)
    writer.blank()
    writer.write(describe_proof(report))
    writer.write((f"It took {format_duration(report.duration_s * 1000)}.", "dim"))


def _write_steps(writer: Writer, report: MigrationReport, verbose: bool) -> None:
    steps = list_migration_steps(report)
    if not steps:
        return
    writer.heading("Steps")
    for group in [[step] for step in steps] if verbose else fold_steps(steps):
        if len(group) == 1:
            _write_step(writer, group[0])
        else:
            _write_folded(writer, group)


def _write_step(writer: Writer, step: MigrationStep) -> None:
    outcome = step.outcome
    commit = f"  {outcome.commit[:_COMMIT_LETTERS]}" if outcome.commit else ""
    status = (outcome.status.value, _STATUS_STYLES[outcome.status])
    writer.write(f"{step.number}. ", status, f"  {outcome.stage.title}{commit}", hanging=3)
    if step.reason:
        writer.write(step.reason, indent=5)
    if outcome.status is Status.UNDONE:
        return
    for line in step.lines:
        writer.write((f"{line.place}  {_join_words(line)}", "dim"), indent=5, hanging=2)
    if step.repeated:
        changes = count(step.repeated, "change")
        writer.write((f"and {changes} that earlier steps make", "dim"), indent=5)


def _write_folded(writer: Writer, steps: list[MigrationStep]) -> None:
    status = steps[0].outcome.status
    writer.write(
        f"{steps[0].number} to {steps[-1].number}. ",
        (status.value, _STATUS_STYLES[status]),
        f"  {name_fold(steps)}",
        hanging=3,
    )
    for step in steps:
        title, line = describe_fold(step)
        words = _join_words(line)
        writer.write((f"{title}: {words}" if words else title, "dim"), indent=5, hanging=2)


def _join_words(line: ChangeLine) -> str:
    return ". ".join(filter(None, (line.what, line.reason)))


def _write_left(writer: Writer, left: tuple[Left, ...], verbose: bool) -> None:
    if not left:
        return
    writer.heading("What stays, and why")
    for reason, advice, items in group_left(left):
        named = items if verbose or len(items) == _ROUTES_NAMED + 1 else items[:_ROUTES_NAMED]
        writer.write(reason, hanging=2)
        if advice:
            writer.write(end_sentence(advice), indent=2)
        for item in named:
            where = f"  {item.place}" if item.place is not None else ""
            writer.write((f"{item.route}{where}", "dim"), indent=4, hanging=2)
        if len(items) > len(named):
            writer.write((f"and {len(items) - len(named)} more (--verbose)", "dim"), indent=4)


def _write_by_hand(writer: Writer, report: MigrationReport) -> None:
    lines = [*report.by_hand, *report.notes]
    if lines:
        writer.heading("By hand")
        for line in lines:
            writer.write(f"- {end_sentence(line)}", hanging=2)


def _write_next(writer: Writer, report: MigrationReport, import_path: str | None) -> None:
    steps = list(list_migration_next(report, import_path))
    if not steps:
        return
    writer.heading("What to do next")
    for number, step in enumerate(steps, 1):
        writer.write(f"{number}. {step.what}", hanging=3)
        for command in step.commands:
            writer.write_command(command)
