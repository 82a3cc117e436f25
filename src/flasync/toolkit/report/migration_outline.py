"""The steps of a migration as its reports tell them: every change once, where it is first made."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.outcome import MigrationReport, StageOutcome, Status
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    Colour,
    FunctionChange,
    StageKind,
    get_span,
)
from flasync.toolkit.report.migration_words import start_sentence
from flasync.toolkit.report.wording import count, shorten_function

_COLOURS = {Colour.ASYNC: "async def", Colour.ON_LOOP: "@on_loop"}
# What every view that becomes async has in common, and no line says again.
_USUAL = "Flask awaits it"
# Routes in a row from which they are told in one line each.
_FEW = 3
_TEST_NAMED = 1


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change in words.

    Attributes:
        place: Where it is.
        what: What is done there, such as "async def checkout" or "offload deliver".
        reason: A sentence that says why; "" where that is plain.
    """

    place: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One stage of a migration and what became of it.

    Attributes:
        number: Its place in the order, from 1.
        outcome: What became of it.
        lines: The changes that no earlier step has made.
        repeated: How many of its changes earlier steps have made.
    """

    number: int
    outcome: StageOutcome
    lines: tuple[ChangeLine, ...]
    repeated: int

    @property
    def is_short(self) -> bool:
        """Whether it does no more than to put one view onto the event loop, or was left out."""
        if self.outcome.status is Status.SKIPPED:
            return True
        stage = self.outcome.stage
        is_routine = not self.outcome.reason and not self.outcome.commit
        return is_routine and stage.kind is StageKind.ROUTE and self._only_colours

    @property
    def _only_colours(self) -> bool:
        views = [
            change
            for change in self.outcome.stage.changes
            if isinstance(change, FunctionChange) and change.is_view
        ]
        return len(self.lines) == len(views) == 1

    @property
    def reason(self) -> str:
        """Why it was undone or left out, as a sentence, with the number of tests that say so."""
        others = len(self.outcome.tests) - _TEST_NAMED
        more = f" So did {count(others, 'other test')}." if others > 0 else ""
        return start_sentence(self.outcome.reason) + more if self.outcome.reason else ""


def list_migration_steps(report: MigrationReport) -> list[MigrationStep]:
    """Return the steps in their order."""
    made: set[ChangeLine] = set()
    steps = []
    for number, outcome in enumerate(report.outcomes, 1):
        lines = dict.fromkeys(map(describe_change, outcome.stage.changes))
        new = tuple(line for line in lines if line not in made)
        steps.append(MigrationStep(number, outcome, new, len(lines) - len(new)))
        if outcome.status not in {Status.UNDONE, Status.SKIPPED}:
            made |= lines.keys()
    return steps


def fold_steps(steps: list[MigrationStep]) -> Iterator[list[MigrationStep]]:
    """Yield the steps one by one, but those in a row that are short and alike together."""
    for (is_short, _), group in itertools.groupby(
        steps, key=lambda step: (step.is_short, step.outcome.status)
    ):
        members = list(group)
        if is_short and len(members) >= _FEW:
            yield members
        else:
            yield from ([member] for member in members)


def name_fold(steps: list[MigrationStep]) -> str:
    """Return the title of steps that are told together."""
    if steps[0].outcome.status is Status.SKIPPED:
        return f"{len(steps)} steps that you left out"
    return f"Move {len(steps)} more routes, for which only the view changes"


def describe_fold(step: MigrationStep) -> tuple[str, ChangeLine]:
    """Return one of several steps that are told together: its routes or title, what it does."""
    stage = step.outcome.stage
    if step.outcome.status is Status.SKIPPED:
        return stage.title, ChangeLine("", "", "")
    return "; ".join(stage.routes), step.lines[0]


def describe_change(change: Change) -> ChangeLine:
    """Return a change in words."""
    span = get_span(change)
    place = str(span.place)
    if isinstance(change, FunctionChange):
        name = change.name.rpartition(".")[2]
        is_usual = change.is_view and change.reason == _USUAL
        reason = "" if is_usual else start_sentence(change.reason)
        return ChangeLine(place, f"{_COLOURS[change.colour]} {name}", reason)
    if isinstance(change, CallChange):
        is_plain = change.way is Way.REWRITE and not change.recipe
        name = shorten_function(change.name, span.file)
        if is_plain:  # the line of the function that becomes async has the reason
            return ChangeLine(place, f"await {name}", "")
        return ChangeLine(place, f"{change.way.value} {name}", start_sentence(change.reason))
    return ChangeLine(place, "", start_sentence(change.reason))
