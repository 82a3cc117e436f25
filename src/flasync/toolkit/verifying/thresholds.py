"""What a run must keep to, besides its verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import Measured, Outcome, Run

# Verdicts with which a run has failed, whatever else was asked of it.
FAILED_OUTCOMES = (Outcome.SERIAL, Outcome.LIMITED, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits that the user has set; None: none."""

    min_overlap: float | None = None
    max_p99_ms: float | None = None
    max_bystander_ms: float | None = None


def list_failed_verdicts(run: Run) -> Iterator[str]:
    """Yield a sentence for each route whose verdict is a failure, by the stack in question."""
    for route in run.routes:
        judgement = route.measured[-1].judgement
        if judgement.outcome in FAILED_OUTCOMES:
            yield f"{route.method} {route.path}: {judgement.sentence}"


def list_breaches(run: Run, thresholds: Thresholds) -> Iterator[str]:
    """Yield a sentence for each threshold that a route breaks, by the stack in question.

    Where requests have failed, their times mean nothing, and the verdict is the failure.
    """
    for route in run.routes:
        measured = route.measured[-1]
        if measured.judgement.outcome is not Outcome.FAILED:
            for breach in _list_of_one(measured, thresholds):
                yield f"{route.method} {route.path}: {breach}"


def _list_of_one(measured: Measured, thresholds: Thresholds) -> Iterator[str]:
    judgement = measured.judgement
    least, most_ms = thresholds.min_overlap, thresholds.max_p99_ms
    # What overlaps on the inside, or is too fast to be judged, has no factor that means anything.
    is_counted = judgement.outcome not in (Outcome.OVERLAPS, Outcome.UNDECIDED)
    if least is not None and is_counted and judgement.overlap < least:
        yield f"{judgement.overlap:.1f} requests ran at a time, --min-overlap is {least:g}."
    if most_ms is not None and judgement.p99_ms > most_ms:
        yield f"the p99 is {format_ms(judgement.p99_ms)}, --max-p99 is {format_ms(most_ms)}."
    most_ms = thresholds.max_bystander_ms
    if most_ms is not None and measured.load.pings and judgement.bystander_ms > most_ms:
        waited = format_ms(judgement.bystander_ms)
        yield f"another route waited {waited} longer, --max-bystander is {format_ms(most_ms)}."
