"""The report of a migration as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.report.html import build_environment, render_page
from flasync.toolkit.report.migration_outline import (
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
from flasync.toolkit.report.wording import count, format_duration

_TEMPLATE = "migration.html"
_KINDS = {"+": "added", "-": "removed", "@": "place"}


def build_migration_html(report: MigrationReport, import_path: str | None = None) -> str:
    """Return the page.

    Args:
        report: What was done, or would be.
        import_path: As the user named the app, for the commands to type.
    """
    environment = build_environment()
    environment.globals.update(count=count, describe_fold=describe_fold, name_fold=name_fold)
    return render_page(
        environment,
        _TEMPLATE,
        report=report,
        headline=build_migration_headline(report),
        why=WHY_LOOP if report.moved else "",
        ways=list_ways(report),
        proof=describe_proof(report),
        duration=format_duration(report.duration_s * 1000),
        groups=list(fold_steps(list_migration_steps(report))),
        diffs=list(_split_diff(report.diff)),
        left=group_left(report.left),
        by_hand=[*report.by_hand, *report.notes],
        next_steps=list(list_migration_next(report, import_path)),
    )


def _split_diff(diff: str) -> Iterator[tuple[str, int, int, list[tuple[str, str]]]]:
    """Yield for each file of a diff its name, how many lines come and go, and its lines."""
    for part in re.split(r"(?m)^(?=--- )", diff)[1:]:
        head, body = part.split("\n@@", 1)
        lines = [(_KINDS.get(line[:1], "quiet"), line) for line in f"@@{body}".splitlines()]
        kinds = [kind for kind, _ in lines]
        name = head.rpartition("+++ b/")[2]
        yield name, kinds.count("added"), kinds.count("removed"), lines
