"""What a migration has done: each stage with its proof, what is left, and what is to do by hand."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass

from flasync.toolkit.migration.plan import CallChange, Left, Stage


class Status(enum.StrEnum):
    """What became of a stage."""

    PLANNED = "planned"
    """It would be applied; nothing was written."""
    APPLIED = "applied"
    """It was written."""
    PROVED = "proved"
    """It was written, and no test turned red."""
    UNDONE = "undone"
    """It was written, turned a test red, and was taken back."""
    SKIPPED = "skipped"
    """The user left it out."""


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """One stage and what became of it.

    Attributes:
        stage: The stage.
        status: What became of it.
        reason: One sentence: why it was undone; "" otherwise.
        tests: The ids of the tests that turned red, for a stage that was undone.
        duration_s: How long applying and proving it took.
        commit: The git commit that was made of it; "" for none.
    """

    stage: Stage
    status: Status
    reason: str = ""
    tests: tuple[str, ...] = ()
    duration_s: float = 0.0
    commit: str = ""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """Everything that one migration says.

    Attributes:
        app: How the app was named or found.
        root: The project's folder.
        is_written: Whether files were changed.
        outcomes: Every stage that was tried, in the order in which it was; a stage that was undone
            and then came back in another shape stands there twice.
        left: The routes that stay as they are.
        moved_before: Routes that ran on the loop already.
        by_hand: What a person has to do, one line each.
        notes: What the reader must know.
        diff: The changes as a unified diff.
        tests_passed: How many tests passed before the migration, or None when none were run.
        tests_red_before: The tests that were red before it.
        duration_s: How long everything took.
    """

    app: str
    root: str
    is_written: bool
    outcomes: tuple[StageOutcome, ...]
    left: tuple[Left, ...]
    moved_before: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    diff: str = ""
    tests_passed: int | None = None
    tests_red_before: tuple[str, ...] = ()
    duration_s: float = 0.0

    @property
    def moved(self) -> tuple[str, ...]:
        """The ids of the routes that moved, or would."""
        return tuple(route for stage in self.standing for route in stage.routes)

    @property
    def standing(self) -> tuple[Stage, ...]:
        """The stages whose changes stand, or would."""
        gone = {Status.UNDONE, Status.SKIPPED}
        return tuple(item.stage for item in self.outcomes if item.status not in gone)


def count_ways(stages: tuple[Stage, ...]) -> Counter[str]:
    """Return how many calls are freed in each way, every call counted once."""
    changes = {
        change.span: change.way.value
        for stage in stages
        for change in stage.changes
        if isinstance(change, CallChange)
    }
    return Counter(changes.values())


def list_lost(report: MigrationReport) -> tuple[StageOutcome, ...]:
    """Return the stages that were undone and of which not all came back in another shape."""
    names = {stage.id for stage in report.standing} | set(report.moved)
    return tuple(
        item
        for item in report.outcomes
        if item.status is Status.UNDONE
        and not names.issuperset(item.stage.routes or [item.stage.id])
    )
