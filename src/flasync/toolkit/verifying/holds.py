"""Where the requests of a load spent their time on the server."""

from __future__ import annotations

from collections import defaultdict

from flasync.toolkit.verifying.run import Hold, Load, Mark, Phase

# Places that are kept: a page of them, longest first.
_MOST_HOLDS = 12


def find_holds(load: Load) -> tuple[Hold, ...]:
    """Return the places at which the requests sent at once spent their time, longest first."""
    marks: dict[tuple[Phase, str, str], list[Mark]] = defaultdict(list)
    owners: dict[tuple[Phase, str, str], set[int]] = defaultdict(set)
    for number, request in enumerate(load.requests):
        for mark in request.marks:
            key = (mark.phase, mark.place, mark.call)
            marks[key].append(mark)
            owners[key].add(number)
    holds = [_add_up(key, marks[key], len(owners[key])) for key in marks]
    holds.sort(key=lambda hold: hold.total_ms, reverse=True)
    return tuple(holds[:_MOST_HOLDS])


def _add_up(key: tuple[Phase, str, str], marks: list[Mark], requests: int) -> Hold:
    phase, place, call = key
    lengths = [mark.end_ms - mark.start_ms for mark in marks]
    return Hold(
        phase,
        place,
        call,
        total_ms=sum(lengths),
        longest_ms=max(lengths),
        requests=requests,
        cpu_ms=sum(mark.cpu_ms for mark in marks),
        limit=next((mark.limit for mark in marks if mark.limit), ""),
    )


def count_most_waiting(load: Load) -> int:
    """Return how many requests waited at the same time at most, as the server saw it.

    In the loop lane a request waits while it is switched away, in the thread lane while its thread
    does not compute.
    """
    steps: list[tuple[float, int]] = []
    for request in load.requests:
        for mark in request.marks:
            if _waits(mark):
                steps += [(mark.start_ms, 1), (mark.end_ms, -1)]
    most = now = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def _waits(mark: Mark) -> bool:
    if mark.phase is Phase.THREAD:
        return mark.cpu_ms < (mark.end_ms - mark.start_ms) / 2
    return mark.phase is Phase.AWAITING
