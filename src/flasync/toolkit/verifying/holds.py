"""Where the requests of a load spent their time on the server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

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

    Threads do not count: one that does not compute may only wait for its turn to. Nor do waits
    outside of the project's code: a response on its way to the server.
    """
    awaiting = (mark for mark in _list_marks(load) if mark.phase is Phase.AWAITING and mark.place)
    return max(_measure_levels(awaiting), default=0)


def count_let_in(load: Load, limit: Hold) -> int:
    """Return how many requests were past a limit for most of the time; 0 if nobody knows.

    Not how many at most: whoever is on its way out is not counted off at once.
    """
    levels = _measure_levels(
        mark
        for mark in _list_marks(load)
        if mark.phase in (Phase.AWAITING, Phase.THREAD)
        and (mark.phase, mark.place, mark.call) != (limit.phase, limit.place, limit.call)
    )
    return max(levels, key=lambda level: levels[level], default=0)


def _list_marks(load: Load) -> Iterator[Mark]:
    return (mark for request in load.requests for mark in request.marks)


def _measure_levels(marks: Iterable[Mark]) -> dict[int, float]:
    """Return for how many milliseconds so many of the marks were under way, one or more."""
    steps = sorted(step for mark in marks for step in ((mark.start_ms, 1), (mark.end_ms, -1)))
    levels: dict[int, float] = defaultdict(float)
    level = 0
    for (at_ms, step), (next_ms, _) in pairwise(steps):
        level += step
        if level and next_ms > at_ms:
            levels[level] += next_ms - at_ms
    return levels
