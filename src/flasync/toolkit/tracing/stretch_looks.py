"""Where a request spends its time while it runs: its stack is looked at from another thread.

What a request awaits, its pauses tell. What it does between two pauses (it computes, or blocks)
can only be seen from outside, and only when it takes long.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from types import FrameType

from flasync.toolkit.tracing.places import Places, Spot

# Seconds between two looks.
_PAUSE_S = 0.005


@dataclass(eq=False, slots=True)
class Stay:
    """A time for which a request was seen at one place, in seconds of `perf_counter`."""

    spot: Spot
    since: float
    until: float


@dataclass(eq=False, slots=True)
class Stretch:
    """A time in which a request runs without a pause.

    Attributes:
        thread: The number of its thread.
        since: When it began, in seconds of `perf_counter`.
        stays: Where it was seen, in order.
    """

    thread: int
    since: float
    stays: list[Stay] = field(default_factory=list)

    def find_longest(self) -> Spot | None:
        """Return where most of the time went; None: it was seen nowhere in the project's code."""
        seen: Counter[Spot] = Counter()
        for stay in self.stays:
            seen[stay.spot] += int((stay.until - stay.since) * 1e6) + 1
        return seen.most_common(1)[0][0] if seen else None


class StretchLooks:
    """Looks at the stretches under way.

    Args:
        places: Tells the project's own code.

    Used as a context manager.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._under_way: list[Stretch] = []
        self._end = threading.Event()
        self._looker = threading.Thread(target=self._look_on, name="trace-looks", daemon=True)

    def __enter__(self) -> StretchLooks:
        """Begin to look."""
        self._looker.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Look no more."""
        self._end.set()
        self._looker.join()

    def begin(self) -> Stretch:
        """Return a new stretch of the calling thread, to be looked at."""
        stretch = Stretch(threading.get_ident(), perf_counter())
        self._under_way.append(stretch)
        return stretch

    def end(self, stretch: Stretch) -> float:
        """Look at a stretch no more; return its milliseconds."""
        now = perf_counter()
        self._under_way.remove(stretch)
        for stay, following in pairwise(stretch.stays):
            stay.until = following.since
        if stretch.stays:
            stretch.stays[-1].until = now
        return (now - stretch.since) * 1000

    def find_current(self) -> Spot | None:
        """Return where a stretch under way was seen last."""
        stays = [stretch.stays[-1] for stretch in list(self._under_way) if stretch.stays]
        return stays[0].spot if stays else None

    def _look_on(self) -> None:
        while not self._end.wait(_PAUSE_S):
            for stretch in list(self._under_way):
                now = perf_counter()
                spot = self._find_own(sys._current_frames().get(stretch.thread))
                if spot is not None and stretch in self._under_way:
                    self._note(stretch, spot, now)

    @staticmethod
    def _note(stretch: Stretch, spot: Spot, now: float) -> None:
        last = stretch.stays[-1] if stretch.stays else None
        if last is not None and last.spot == spot:
            last.until = now
        else:
            since = max(stretch.since, now - _PAUSE_S) if last is None else now
            stretch.stays.append(Stay(spot, since, now))

    def _find_own(self, frame: FrameType | None) -> Spot | None:
        while frame is not None:
            if self._places.is_own(frame.f_code.co_filename):
                return self._places.locate(frame)
            frame = frame.f_back
        return None
