"""Findings with their chains, in groups that one change mends."""

from __future__ import annotations

from rich.table import Table

from flasync.toolkit.finding import Finding, Hit, RouteReport, Severity, Step
from flasync.toolkit.report.outline import Group, Outline
from flasync.toolkit.report.source_lines import SourceLines
from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.wording import (
    count,
    crop,
    describe_entry,
    describe_evidence,
    end_sentence,
    join_routes,
    shorten_function,
    shorten_place,
)

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}

# What is shown without --verbose: further places of a group, steps of a chain, other routes.
_PLACES = 4
_STEPS = 6
_ROUTES = 3

# Columns before the steps of a chain.
_STEP_INDENT = 6

# Columns beside the texts of a step: the indentation, and blanks between the texts.
_BESIDE_STEPS = _STEP_INDENT + 4

# Characters of a source line that are shown at least.
_MIN_SOURCE = 24

# Columns beside a place and its source line: indentation, blanks, how many routes.
_BESIDE_SOURCE = 20


class FindingBlocks:
    """Writes groups of findings.

    Args:
        writer: Where to.
        outline: What reaches what.
        verbose: Whether every finding is shown with its chain.
    """

    def __init__(self, writer: Writer, outline: Outline, verbose: bool) -> None:
        self._writer = writer
        self._outline = outline
        self._verbose = verbose
        self._lines = SourceLines(outline.report.root)

    def write_group(self, group: Group) -> None:
        """Write what a group is, what to do, and its places; the first one with its chain."""
        head = group.head
        parts = [count(len(group.findings), "place")]
        if group.routes:
            parts.append(f"on the way of {count(len(group.routes), 'route')}")
        self._writer.write(_build_title(head), f"  {', '.join(parts)}")
        self._writer.write(("What to do: ", "bold"), head.advice, indent=2, hanging=2)
        detailed = len(group.findings) if self._verbose else 1
        for finding in group.findings[:detailed]:
            self._write_finding(finding)
        self._write_places(group.findings[detailed:])
        self._writer.blank()

    def write_short(self, group: Group) -> None:
        """Write a group whose findings have no chains: each with its place."""
        head = group.head
        for finding in group.findings:
            self._writer.write(_build_title(head), f"  {finding.place}")
            self._writer.write(end_sentence(finding.message), indent=2)
        self._writer.write(("What to do: ", "bold"), head.advice, indent=2, hanging=2)
        self._writer.blank()

    def _write_finding(self, finding: Finding) -> None:
        writer = self._writer
        writer.blank()
        writer.write((str(finding.place), "bold"), indent=2)
        line = self._lines.get(finding.place)
        if line:
            writer.write((line, "cyan"), indent=6)
        writer.write(end_sentence(finding.message), indent=4)
        evidence = describe_evidence(finding)
        if evidence:
            writer.write((evidence.capitalize() + ".", "italic"), indent=4)
        reaching = self._outline.list_reaching(finding)
        if reaching:
            self._write_chain(*reaching[0])
            self._write_other_routes([route.id for route, _ in reaching[1:]])

    def _write_chain(self, route: RouteReport, hit: Hit) -> None:
        where = describe_entry(hit.entry)
        words, end = ("The way there from ", ":") if hit.chain else ("Reached from ", "")
        self._writer.write((words, "dim"), route.id, (where + end, "dim"), indent=4, hanging=2)
        if not hit.chain:
            return
        cut = 0 if self._verbose else max(0, len(hit.chain) - _STEPS)
        gap = f"… {count(cut, 'more call')} …"
        shown: list[Step | None] = list(hit.chain)
        if cut:
            shown[1 : cut + 1] = [None]
        if self._writer.is_narrow:
            self._write_steps_stacked(shown, gap)
        else:
            self._write_steps(shown, gap)

    def _write_steps(self, steps: list[Step | None], gap: str) -> None:
        """Write a row for each step, and the gap where a step is None."""
        rows = [
            (
                shorten_place(step.place),
                shorten_function(step.function, step.place.file),
                step.call,
            )
            if step is not None
            else (gap, "", "")
            for step in steps
        ]
        needed = sum(max(map(len, column)) for column in zip(*rows, strict=True))
        has_room = needed <= self._writer.console.width - _BESIDE_STEPS
        grid = _build_grid()
        for place, function, call in rows:
            name = function if has_room else function.rpartition(".")[2]
            grid.add_row(
                self._writer.text((place, "dim")),
                self._writer.text(name),
                self._writer.text((call, "cyan")),
            )
        self._writer.write_table(grid, indent=_STEP_INDENT)

    def _write_steps_stacked(self, steps: list[Step | None], gap: str) -> None:
        for step in steps:
            place = shorten_place(step.place) if step is not None else gap
            self._writer.write((place, "dim"), indent=_STEP_INDENT)
            if step is not None:
                self._writer.write((step.call, "cyan"), indent=_STEP_INDENT + 2)

    def _write_other_routes(self, routes: list[str]) -> None:
        if routes:
            shown = join_routes(routes, len(routes) if self._verbose else _ROUTES)
            self._writer.write(("Also reached by ", "dim"), shown, indent=4, hanging=2)

    def _write_places(self, findings: tuple[Finding, ...]) -> None:
        if not findings:
            return
        writer = self._writer
        writer.blank()
        shown = findings if len(findings) <= _PLACES + 1 else findings[:_PLACES]
        writer.write(("The same at:", "dim"), indent=2)
        places = max(len(shorten_place(finding.place)) for finding in shown)
        width = max(_MIN_SOURCE, writer.console.width - places - _BESIDE_SOURCE)
        grid = _build_grid()
        for finding in shown:
            reaching = self._outline.list_reaching(finding)
            routes = count(len(reaching), "route") if reaching else ""
            grid.add_row(
                writer.text(shorten_place(finding.place)),
                writer.text(
                    (crop(self._lines.get(finding.place) or finding.subject, width), "cyan")
                ),
                writer.text((routes, "dim")),
            )
        writer.write_table(grid, indent=4)
        if len(shown) < len(findings):
            more = len(findings) - len(shown)
            writer.write((f"… and {count(more, 'more place')}: --verbose", "dim"), indent=4)


def _build_title(finding: Finding) -> tuple[str, str]:
    """Return code and name in the severity's style; errors say so where no colour does."""
    error = " (error)" if finding.severity is Severity.ERROR else ""
    return f"{finding.code} {finding.rule}{error}", STYLES[finding.severity]


def _build_grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(overflow="fold")
    return grid
