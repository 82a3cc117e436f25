"""The marks of one request, made of what the runtime told of it.

A stretch makes marks of its own, and those of child tasks may overlap. The time in which none of
the request's greenlets runs is divided: it waits for a worker thread, for the server to take its
response, or, else, for what it awaits.
"""

from __future__ import annotations

from dataclasses import replace

from flasync.toolkit.verifying.run import Mark, Phase
from flasync.toolkit.verifying.sights import NOWHERE, Sight
from flasync.toolkit.verifying.stretches import Stretch, split_stretch

# Marks of a request; more are made fewer.
MOST_MARKS = 200

# So many neighbours become one mark of each phase.
_WINDOW = 16

# Milliseconds that are nobody's, when nothing is awaited: the way from a thread to the loop.
_NEGLIGIBLE_MS = 1.0

# To copy: members of an enum are slow as keys.
_NO_TIME = dict.fromkeys(Phase, 0.0)


class Timeline:
    """A request's life so far. Times are seconds on the clock of `time.perf_counter`.

    Attributes:
        marks: In the order in which they ended.
        totals: Milliseconds in each phase.
    """

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.totals = _NO_TIME.copy()
        self._since: float | None = None
        self._running: list[Stretch] = []
        # Where each greenlet that waits does so, with its Context, by its identity; the last one
        # began last.
        self._waiting: dict[int, tuple[Sight, int]] = {}
        self._is_queued = False
        self._is_sending = False

    def queue(self, at: float) -> None:
        """The request waits for a worker thread from now on."""
        self._mark_gap(at)
        self._is_queued = True

    def begin(self, stretch: Stretch) -> None:
        """A stretch begins."""
        self._mark_gap(stretch.start)
        self._running.append(stretch)
        self._waiting.pop(stretch.greenlet, None)
        if stretch.phase is Phase.THREAD:
            self._is_queued = False

    def finish(self, stretch: Stretch, sight: Sight | None) -> None:
        """A stretch has ended; its greenlet waits at `sight`, or is finished: None."""
        self._mark_gap(stretch.end)
        if stretch in self._running:
            self._running.remove(stretch)
        for mark in split_stretch(stretch):
            self._add(self._place(mark, stretch))
        if sight is not None:
            self._waiting[stretch.greenlet] = sight, stretch.context

    def send(self, at: float) -> None:
        """The server is given messages."""
        self._mark_gap(at)
        self._is_sending = True

    def sent(self, at: float) -> None:
        """The server has taken them."""
        self._mark_gap(at)
        self._is_sending = False

    def end(self, at: float) -> None:
        """The request is over; a child task that still runs is none of it any more."""
        self._mark_gap(at)
        for stretch in self._running:
            stretch.end, stretch.cpu_end = at, stretch.cpu_start
            for mark in split_stretch(stretch):
                self._add(mark)
        self._running.clear()

    def add_up(self, at: float) -> dict[Phase, float]:
        """Return the milliseconds in each phase, those of stretches under way included."""
        self._mark_gap(at)
        totals = self.totals.copy()
        for stretch in self._running:
            totals[stretch.phase] += (at - stretch.start) * 1000
        return totals

    def _mark_gap(self, at: float) -> None:
        """Mark the time since what was told last, if nothing has run in it."""
        since, self._since = self._since, at
        if since is None or at <= since:
            self._since = since or at
            return
        if self._running:
            return
        sight = self._get_wait() if not self._is_sending else NOWHERE
        phase = Phase.AWAITING
        if self._is_queued:
            phase = Phase.QUEUED
        elif self._is_sending:
            phase = Phase.SENDING
        elif not sight.place and (at - since) * 1000 < _NEGLIGIBLE_MS:
            return
        place, call, limit, _ = sight
        self._add(Mark(phase, since * 1000, at * 1000, place, call, limit=limit))

    def _get_wait(self) -> Sight:
        """Return where the request waits: the wait that began last, if it has a place."""
        waits = [sight for sight, _ in self._waiting.values()]
        return next((sight for sight in reversed(waits) if sight.place), (waits or [NOWHERE])[-1])

    def _place(self, mark: Mark, stretch: Stretch) -> Mark:
        """Return a thread's mark with the place that waits for the thread, if it has none.

        A function of C has no frame. Who waits for it shares its Context; a task that was made of
        `run_sync` alone has no place either, but then the view that waits for the task has.
        """
        if mark.place or mark.phase is not Phase.THREAD:
            return mark
        waits = sorted(self._waiting.values(), key=lambda wait: wait[1] != stretch.context)
        sight = next((sight for sight, _ in waits if sight.place), NOWHERE)
        return replace(mark, place=sight.place, call=mark.call or sight.call)

    def _add(self, mark: Mark) -> None:
        self.totals[mark.phase] += mark.end_ms - mark.start_ms
        if self.marks and _continues(self.marks[-1], mark):
            self.marks[-1] = replace(
                mark,
                start_ms=self.marks[-1].start_ms,
                cpu_ms=self.marks[-1].cpu_ms + mark.cpu_ms,
            )
            return
        self.marks.append(mark)
        if len(self.marks) > MOST_MARKS:
            self.marks = condense(self.marks)


def _continues(mark: Mark, following: Mark) -> bool:
    return _get_kind(mark) == _get_kind(following) and mark.end_ms == following.start_ms


def _get_kind(mark: Mark) -> tuple[Phase, str, str, str]:
    return mark.phase, mark.place, mark.call, mark.limit


def condense(marks: list[Mark]) -> list[Mark]:
    """Return fewer marks with the same time in each phase.

    Neighbours of one kind become one mark. Where that is not enough, because each has a place of
    its own, one of each phase is left, with the place of the longest.
    """
    fewer = [mark for window in _cut(marks) for mark in _join(window, by_place=True)]
    if len(fewer) > MOST_MARKS // 2:
        fewer = [mark for window in _cut(marks) for mark in _join(window, by_place=False)]
    return fewer


def _cut(marks: list[Mark]) -> list[list[Mark]]:
    return [marks[start : start + _WINDOW] for start in range(0, len(marks), _WINDOW)]


def _join(window: list[Mark], *, by_place: bool) -> list[Mark]:
    """Return a mark for each kind or phase in a window, one after another."""
    groups: dict[object, list[Mark]] = {}
    for mark in window:
        groups.setdefault(_get_kind(mark) if by_place else mark.phase, []).append(mark)
    joined = []
    start_ms = min(mark.start_ms for mark in window)
    for group in groups.values():
        longest = max(group, key=lambda mark: mark.end_ms - mark.start_ms)
        end_ms = start_ms + sum(mark.end_ms - mark.start_ms for mark in group)
        cpu_ms = sum(mark.cpu_ms for mark in group)
        joined.append(replace(longest, start_ms=start_ms, end_ms=end_ms, cpu_ms=cpu_ms))
        start_ms = end_ms
    return joined
