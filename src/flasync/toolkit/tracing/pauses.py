"""Where the greenlets of a request wait, and when they go on."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from flasync.bridge import BridgeGreenlet, ThreadGreenlet, walk_frames
from flasync.toolkit.report.wording import count, format_duration, join
from flasync.toolkit.tracing.awaited import describe_awaited
from flasync.toolkit.tracing.places import Places
from flasync.toolkit.tracing.stretch_looks import Stretch
from flasync.toolkit.tracing.timeline import Draft, Timeline, Track
from flasync.toolkit.tracing.trace import Action, Variable

_OF_A_THREAD = frozenset({Action.QUEUED, Action.THREAD_STARTED, Action.THREAD_ENDED})

# Stretches of other requests that are remembered.
_MOST_OTHERS = 10_000


@dataclass(eq=False, slots=True)
class Run:
    """A function that runs in a greenlet.

    Attributes:
        track: The strand that it belongs to.
        started: The step in which it began, where that is told.
        pause: The step in which it waits, or has waited last.
        resumed: The step in which it went on after that; None: it waits still.
        waiting: What it waits in: the frame of the project's own, its instruction, and the frame
            that it has called. The same three again are the same wait, which goes on.
        waits: How often it has waited there.
        stretch: Where it is, while it runs.
    """

    track: Track
    stretch: Stretch | None = None
    started: Draft | None = None
    pause: Draft | None = None
    resumed: Draft | None = None
    waiting: tuple[FrameType, int, FrameType] | None = None
    waits: int = 0


class Pauses:
    """Makes steps of waits.

    Args:
        timeline: Where to.
        places: Tells the project's own code.
    """

    def __init__(self, timeline: Timeline, places: Places) -> None:
        self._timeline = timeline
        self._places = places
        self._others: deque[tuple[float, int]] = deque(maxlen=_MOST_OTHERS)

    def note_other(self, number: int) -> None:
        """Take note that another request runs."""
        self._others.append((self._timeline.now(), number))

    def begin(
        self, run: Run, greenlet: BridgeGreenlet, awaited: object, others: Iterable[Run]
    ) -> None:
        """Add the step in which a greenlet begins to wait, if the project's code is in it.

        Args:
            run: What the greenlet runs.
            greenlet: The greenlet.
            awaited: What it has handed up.
            others: What the request's greenlets run, this one's among them.
        """
        track = run.track
        frames = list(walk_frames(greenlet))
        own, inside = self._places.choose(frames)
        if not own and track.stream is not None and track.stream.ag_running:
            own, inside = self._places.choose(_walk_stream(track.stream))
        if not own:
            return
        is_ours = self._places.is_own(own[0].f_code.co_filename)
        if not is_ours and _is_paused(track, run, others):
            return  # inside a wait that is told already, of the request's other greenlet
        waiting = (own[0], own[0].f_lasti, inside[0]) if inside else None
        if self._goes_on(run, waiting):
            return
        spot = self._places.locate(own[0])
        view = next((item for item in own if item.f_code in self._timeline.view_codes), None)
        followed = view or (own[-1] if track.number and is_ours else None)
        state = _get_state(track, "waiting")
        words = f"waits for {describe_awaited(awaited, inside)}"
        if state == inspect.CORO_RUNNING:
            words = f"{words}; it is sync code that waits, so Python calls its coroutine running"
        run.waiting, run.waits, run.resumed = waiting, 1, None
        run.pause = self._timeline.add(
            track,
            Action.PAUSED,
            f"paused at `{spot.expression}`{_describe_callers(own)}",
            place=spot.place,
            source=spot.source,
            state=state,
            result=words,
            variables=compare_variables(track, followed),
            thread=threading.current_thread().name if type(greenlet) is ThreadGreenlet else "",
        )
        self._timeline.move_up(run.pause, _OF_A_THREAD)

    def end(self, run: Run) -> None:
        """Add the step in which a greenlet goes on, if the one in which it waits is there."""
        pause = run.pause
        if pause is None or run.resumed is not None:
            return
        timeline = self._timeline
        now = timeline.now()
        pause.duration_ms = now - pause.at_ms
        served = {number for at_ms, number in self._others if pause.at_ms <= at_ms <= now}
        words = f"after {format_duration(pause.duration_ms)}"
        if run.waits > 1:
            words = f"{words} in {run.waits} waits"
        task = asyncio.current_task() if pause.thread == "" else None
        if task is not None and task.cancelling() > run.track.cancellations:
            run.track.cancellations = task.cancelling()
            words = f"{words}, with CancelledError"
        joined = [f"`{item.name}`" for item in timeline.list_ended(run.track, pause.at_ms)]
        if joined:
            words = f"{words}; joined by {join(joined)}"
        if served:
            words = f"{words}; the loop served {count(len(served), 'other request')} meanwhile"
        run.resumed = timeline.add(
            run.track,
            Action.RESUMED,
            "resumed",
            place=pause.place,
            source=pause.source,
            state=inspect.CORO_RUNNING if run.track.coroutines else "running",
            result=words,
            thread=pause.thread,
        )

    def _goes_on(self, run: Run, waiting: tuple[FrameType, int, FrameType] | None) -> bool:
        """Whether the last wait of a greenlet goes on; then the step of its end is taken back.

        A library waits many times in one call of its; the code that has called it waits once.
        """
        if waiting is None or run.waiting is None or run.resumed is None:
            return False
        is_same = waiting[0] is run.waiting[0] and waiting[2] is run.waiting[2]
        if not is_same or waiting[1] != run.waiting[1]:
            return False
        self._timeline.remove(run.resumed)
        run.resumed = None
        run.waits += 1
        return True


def _is_paused(track: Track, run: Run, others: Iterable[Run]) -> bool:
    """Whether another greenlet of a strand waits."""
    return any(
        item.pause is not None and item.resumed is None
        for item in others
        if item.track is track and item is not run
    )


def _describe_callers(own: list[FrameType]) -> str:
    """Return in which function of the project's own this is, where the view called others."""
    if len(own) == 1:
        return ""
    return f" in `{own[0].f_code.co_name}`, called by `{own[1].f_code.co_name}`"


def compare_variables(track: Track, frame: FrameType | None) -> tuple[Variable, ...]:
    """Return how the variables of a strand's function have changed."""
    return track.tracker.compare(None if frame is None else frame.f_locals)


def _get_state(track: Track, otherwise: str) -> str:
    return inspect.getcoroutinestate(track.coroutines[-1]) if track.coroutines else otherwise


def _walk_stream(stream: AsyncGenerator[Any, Any]) -> Iterator[FrameType]:
    """Return the frames of an async generator and of what it awaits, innermost first."""
    frames: list[FrameType] = []
    step: Any = stream
    while step is not None:
        frame = getattr(step, "ag_frame", None) or getattr(step, "cr_frame", None)
        if frame is None:
            break
        frames.append(frame)
        step = getattr(step, "ag_await", None) or getattr(step, "cr_await", None)
    return iter(frames[::-1])
