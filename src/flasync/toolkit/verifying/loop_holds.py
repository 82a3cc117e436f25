"""For how long a request held the event loop without a pause, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import Mark, Phase

# Milliseconds between two marks of one stretch: those of the file are rounded.
_ROUNDED_MS = 0.01


@dataclass(frozen=True, slots=True)
class LoopHold:
    """A stretch of a request on the loop, without a pause."""

    request: str
    """As "GET /books"."""
    held_ms: float
    place: str
    """Where most of it was spent, as "shop/api.py:41"; "" if unknown."""
    call: str
    """What was called there; "" if unknown."""
    spent_ms: float
    """How much of it was spent there."""

    def __str__(self) -> str:
        """Return a sentence for people: what happened, where, and what to do."""
        where = " ".join(filter(None, (self.place, f"`{self.call}`" if self.call else "")))
        inside = f", {format_ms(self.spent_ms)} of it at {where}" if where else ""
        return (
            f"{self.request} held the event loop for {format_ms(self.held_ms)}{inside}. Every other"
            " request waited. Await an async call there, or wrap it in `await flasync.run_sync(…)`."
        )


def find_loop_holds(request: str, marks: Iterable[Mark], threshold_ms: float) -> Iterator[LoopHold]:
    """Yield the stretches of a request on the loop that were longer than the threshold.

    Args:
        request: As "GET /books".
        marks: All of the request's.
        threshold_ms: In milliseconds.
    """
    for stretch in _split(marks):
        held_ms = stretch[-1].end_ms - stretch[0].start_ms
        if held_ms > threshold_ms:
            longest = max(stretch, key=lambda mark: mark.end_ms - mark.start_ms)
            spent_ms = longest.end_ms - longest.start_ms
            yield LoopHold(request, held_ms, longest.place, longest.call, spent_ms)


def _split(marks: Iterable[Mark]) -> list[list[Mark]]:
    """Return the marks on the loop, those without a pause between them together."""
    stretches: list[list[Mark]] = []
    ordered = sorted(marks, key=lambda mark: mark.start_ms)
    for mark in (mark for mark in ordered if mark.phase is Phase.LOOP):
        if stretches and mark.start_ms - stretches[-1][-1].end_ms <= _ROUNDED_MS:
            stretches[-1].append(mark)
        else:
            stretches.append([mark])
    return stretches
