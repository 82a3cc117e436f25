"""The stretches of requests that are under way in this process, and what was seen of each.

A stretch is the time in which a greenlet of a request runs in a thread without a switch. One may
begin inside another, with an eager task: then the outer one is over, and a new one begins when the
inner one ends. So a thread has one stretch at a time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from flasync.toolkit.verifying.run import Mark, Phase
from flasync.toolkit.verifying.sights import NOWHERE, Sight

# Milliseconds in one function of the project that are no part of their own: a loop is seen at
# another of its lines each time.
_SHORT_MS = 20.0


class Sample(NamedTuple):
    """What was seen of a stretch at one moment.

    Attributes:
        at: On the clock of `time.perf_counter`.
        cpu: The CPU clock of its thread; None: this system does not tell it.
        sight: Where it was.
    """

    at: float
    cpu: float | None
    sight: Sight


class Stretch:
    """A stretch: by whom, where, from when to when, on both clocks in seconds.

    Attributes:
        greenlet: The identity of its greenlet.
        context: The identity of its greenlet's Context, which a task shares with the thread that
            it waits for.
        end: 0.0 while it is under way.
        samples: In the order of their times; the sampler's thread adds them.
    """

    __slots__ = ("context", "cpu_end", "cpu_start", "end", "greenlet", "phase", "samples", "start")

    def __init__(
        self, greenlet: int, context: int, phase: Phase, start: float, cpu_start: float
    ) -> None:
        self.greenlet = greenlet
        self.context = context
        self.phase = phase
        self.start = start
        self.cpu_start = cpu_start
        self.end = self.cpu_end = 0.0
        self.samples: list[Sample] = []


class WatchedThread:
    """A thread in which requests run.

    Attributes:
        under_way: The stretch under way, if any, and those inside of which it began, each with
            its request. The last one runs.
    """

    def __init__(self) -> None:
        self.ident = threading.get_ident()
        self.under_way: list[tuple[Stretch, Any]] = []
        read_clock = getattr(time, "pthread_getcpuclockid", None)
        self._clock = None if read_clock is None else read_clock(self.ident)

    def read_cpu(self) -> float | None:
        """Return its CPU clock; None: it has just ended, or cannot be known. Runs in: any."""
        try:
            return None if self._clock is None else time.clock_gettime(self._clock)
        except OSError:
            return None


@dataclass(slots=True)
class _Part:
    """Successive samples of one sight, with the time up to the last of them."""

    sight: Sight
    start_ms: float
    end_ms: float
    cpu_ms: float

    @property
    def length_ms(self) -> float:
        return self.end_ms - self.start_ms


def split_stretch(stretch: Stretch) -> list[Mark]:
    """Return the marks of a stretch that has ended: one for each place that it was seen at.

    The time up to a sample belongs to what was seen then: a call that keeps the interpreter lock
    keeps the sampler from looking, and is seen when it ends. What comes after the last sample
    belongs to that.
    """
    return [
        Mark(
            stretch.phase,
            part.start_ms,
            part.end_ms,
            part.sight.place,
            part.sight.call,
            part.cpu_ms,
            part.sight.limit,
        )
        for part in _join_short(_build_parts(stretch))
    ]


def _build_parts(stretch: Stretch) -> list[_Part]:
    samples = [sample for sample in stretch.samples if stretch.start < sample.at < stretch.end]
    last = samples[-1].sight if samples else NOWHERE
    points = [
        Sample(stretch.start, stretch.cpu_start, NOWHERE),
        *samples[:-1],
        Sample(stretch.end, stretch.cpu_end, last),
    ]
    if any(point.cpu is None for point in points):
        points = [_guess_cpu(point, points[0], points[-1]) for point in points]
    return [
        _Part(
            point.sight,
            before.at * 1000,
            point.at * 1000,
            max((point.cpu or 0.0) - (before.cpu or 0.0), 0.0) * 1000,
        )
        for before, point in pairwise(points)
    ]


def _guess_cpu(point: Sample, first: Sample, last: Sample) -> Sample:
    """Return a sample as if the stretch had computed all the time alike."""
    assert first.cpu is not None and last.cpu is not None  # noqa: S101  read in the thread itself
    share = (point.at - first.at) / (last.at - first.at)
    return point._replace(cpu=first.cpu + share * (last.cpu - first.cpu))


def _join_short(parts: list[_Part]) -> list[_Part]:
    """Join neighbours of one sight, then short ones of one function of the project."""
    joined: list[_Part] = []
    for part in parts:
        if joined and joined[-1].sight == part.sight:
            _extend(joined[-1], part, part.sight)
        else:
            joined.append(part)
    result: list[_Part] = []
    for part in joined:
        before = result[-1] if result else None
        if before is None or not _belong_together(before, part):
            result.append(part)
        else:
            longer = before if before.length_ms >= part.length_ms else part
            _extend(before, part, longer.sight)
    return result


def _belong_together(before: _Part, part: _Part) -> bool:
    if not part.sight.function or before.sight.function != part.sight.function:
        return False
    return min(before.length_ms, part.length_ms) < _SHORT_MS


def _extend(part: _Part, following: _Part, sight: Sight) -> None:
    part.sight = sight
    part.end_ms = following.end_ms
    part.cpu_ms += following.cpu_ms
