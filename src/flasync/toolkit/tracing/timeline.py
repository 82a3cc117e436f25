"""The steps of a request while they are collected."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from types import AsyncGeneratorType, CodeType, CoroutineType
from typing import Any

from flasync.toolkit.tracing.trace import Action, Kind, Step, Strand, TraceFinding, Variable
from flasync.toolkit.tracing.variables import VariableTracker

# Steps of one kind at one place of a strand, after which more of them are only counted.
MOST_ALIKE = 5

# Milliseconds that part two steps whose order is known and their times are not.
_MOMENT_MS = 0.0001


@dataclass(eq=False, slots=True)
class Draft:
    """A step that may still change; its attributes are those of `Step`."""

    at_ms: float
    action: Action
    text: str
    strand: int
    place: str = ""
    source: str = ""
    state: str = ""
    result: str = ""
    duration_ms: float | None = None
    variables: tuple[Variable, ...] = ()
    thread: str = ""
    repeats: int = 0
    warning: str = ""

    def add_result(self, words: str) -> None:
        """Add to what came of it."""
        self.result = f"{self.result}; {words}" if self.result else words


@dataclass(eq=False, slots=True)
class Track:
    """A strand while it runs.

    Attributes:
        context: Its Context, by which it is known.
        coroutines: Those that it is in the middle of and that are known, outermost first.
        stream: The async generator that makes its response, if one does.
        queued: The step in which it waits for a thread.
        cancellations: How many of its task have come.
    """

    number: int
    name: str
    parent: int | None
    context: Any
    start_ms: float
    tracker: VariableTracker
    end_ms: float | None = None
    coroutines: list[CoroutineType[Any, Any, Any]] = field(default_factory=list)
    stream: AsyncGeneratorType[Any, Any] | None = None
    queued: Draft | None = None
    cancellations: int = 0


# Which strand this code belongs to.
current_track: ContextVar[Track] = ContextVar("flasync.trace.track")


class Timeline:
    """Collects the steps, from the loop and from threads.

    Args:
        with_variables: Whether local variables are followed.
    """

    def __init__(self, with_variables: bool) -> None:
        self.with_variables = with_variables
        self.view_codes: frozenset[CodeType] = frozenset()
        self.tracks: list[Track] = []
        self.lane = ""
        self._start = perf_counter()
        self._drafts: list[Draft] = []
        self._alike: dict[tuple[Any, ...], list[Draft]] = {}
        self._findings: list[tuple[Kind, str, str, Draft | None]] = []
        self._lock = threading.Lock()
        self._is_over = False

    def begin(self) -> None:
        """Count the times from now on."""
        self._start = perf_counter()

    def now(self) -> float:
        """Return the milliseconds since the beginning."""
        return self.to_ms(perf_counter())

    def to_ms(self, moment_s: float) -> float:
        """Return a moment of `perf_counter` as milliseconds since the beginning."""
        return (moment_s - self._start) * 1000

    def add_track(self, name: str, parent: Track | None, context: Any) -> Track:
        """Return a new strand."""
        tracker = VariableTracker(self.with_variables)
        number = None if parent is None else parent.number
        with self._lock:
            track = Track(len(self.tracks), name, number, context, self.now(), tracker)
            self.tracks.append(track)
        return track

    def add(self, track: Track, action: Action, text: str, **details: Any) -> Draft:
        """Add a step that happens now; what has often happened at its place is only counted."""
        draft = Draft(self.now(), action, text, track.number, **details)
        with self._lock:
            key = (track.number, action, text, draft.place)
            alike = self._alike.setdefault(key, [])
            if self._is_over:
                return draft
            if len(alike) < MOST_ALIKE:
                alike.append(draft)
                self._drafts.append(draft)
            else:
                alike[-1].repeats += 1
        return draft

    def move_up(self, draft: Draft, actions: frozenset[Action]) -> None:
        """Put the last step of a strand before those of some kinds that precede it directly.

        What a thread begins for a wait, it may begin before the wait itself is told.
        """
        with self._lock:
            others = (item for item in self._drafts if item.strand == draft.strand)
            for item in sorted(others, key=lambda item: item.at_ms, reverse=True):
                if item.action in actions:
                    draft.at_ms = item.at_ms - _MOMENT_MS
                elif item is not draft:
                    return

    def remove(self, draft: Draft) -> None:
        """Take a step back."""
        with self._lock:
            key = (draft.strand, draft.action, draft.text, draft.place)
            alike = self._alike[key]
            if draft in alike:
                alike.remove(draft)
                self._drafts.remove(draft)
            elif alike:
                alike[-1].repeats -= 1  # it was only counted

    def find(self, kind: Kind, sentence: str, place: str, draft: Draft | None = None) -> None:
        """Add a finding, once for each sentence; the step gets it as a warning."""
        with self._lock:
            if sentence not in {known for _, known, _, _ in self._findings}:
                self._findings.append((kind, sentence, place, draft))
            if draft is not None:
                draft.warning = sentence

    def get_last(self, track: Track) -> Draft | None:
        """Return the last step of a strand."""
        with self._lock:
            own = (draft for draft in reversed(self._drafts) if draft.strand == track.number)
            return next(own, None)

    def list_ended(self, maker: Track, since_ms: float) -> list[Track]:
        """Return the strands that one has made and that have ended since a time."""
        with self._lock:
            made = [item for item in self.tracks if item.parent == maker.number]
        return [item for item in made if item.end_ms is not None and item.end_ms >= since_ms]

    def find_gap(self, track: Track, since_ms: float) -> tuple[float, float]:
        """Return when the longest time without a step of a strand began, and its length."""
        with self._lock:
            own = [item.at_ms for item in self._drafts if item.strand == track.number]
        times = [since_ms, *(at_ms for at_ms in sorted(own) if at_ms > since_ms), self.now()]
        return max(
            ((first, second - first) for first, second in pairwise(times)),
            key=lambda gap: gap[1],
        )

    def find_step(self, action: Action) -> Draft | None:
        """Return the first step of a kind."""
        with self._lock:
            return next((draft for draft in self._drafts if draft.action is action), None)

    def finish(self) -> tuple[tuple[Strand, ...], tuple[Step, ...], tuple[TraceFinding, ...]]:
        """Take no more; return what was collected, in the order of the times."""
        with self._lock:
            self._is_over = True
        drafts = sorted(self._drafts, key=lambda draft: draft.at_ms)
        numbers = {id(draft): number for number, draft in enumerate(drafts, 1)}
        strands = (
            Strand(item.number, item.name, item.parent, item.start_ms, item.end_ms)
            for item in self.tracks
        )
        findings = (
            TraceFinding(kind, sentence, place, numbers.get(id(draft), 0))
            for kind, sentence, place, draft in self._findings
        )
        return tuple(strands), tuple(_build_steps(drafts)), tuple(findings)


def _build_steps(drafts: Iterable[Draft]) -> Iterable[Step]:
    for number, draft in enumerate(drafts, 1):
        values = {name: getattr(draft, name) for name in Draft.__slots__}
        yield Step(number=number, **values)
