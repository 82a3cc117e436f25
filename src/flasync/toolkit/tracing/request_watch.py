"""What the runtime's instruments tell of the traced request, as steps.

Each greenlet of the request has pauses of its own. Which strand it belongs to, its Context says:
the request has one, and each task that its code makes has a copy, in which the strand of its
maker still stands.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextvars import Context, ContextVar
from dataclasses import dataclass
from functools import partial
from types import CoroutineType, FrameType
from typing import Any

from greenlet import getcurrent
from greenlet import greenlet as Greenlet

from flasync.bridge import BridgeGreenlet, ThreadGreenlet, walk_frames
from flasync.instruments import Watcher
from flasync.toolkit.report.wording import count, format_duration, join
from flasync.toolkit.tracing.awaited import describe_awaited, find_carried, name_coroutine
from flasync.toolkit.tracing.places import Places
from flasync.toolkit.tracing.shown_values import show_value
from flasync.toolkit.tracing.stretch_looks import Stretch, StretchLooks
from flasync.toolkit.tracing.timeline import Draft, Timeline, Track, current_track
from flasync.toolkit.tracing.trace import Action, Kind

# 0 in the traced request and in its tasks, from 1 in the others that are sent meanwhile.
request_number: ContextVar[int] = ContextVar("flasync.trace.request")

# Frames of a coroutine's origin that are kept, for those that are never awaited.
ORIGIN_DEPTH = 20

# Milliseconds of waiting for a thread, again, that are worth a step.
_LEAST_QUEUE_MS = 1.0
# Milliseconds at one place of a thread's stretch that are worth a step.
_LEAST_STAY_MS = 20.0

# Stretches of other requests that are remembered.
_MOST_OTHERS = 10_000


@dataclass(eq=False, slots=True)
class _Run:
    """A function that runs in a greenlet.

    Attributes:
        coroutine: The coroutine that a task runs.
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
    coroutine: CoroutineType[Any, Any, Any] | None = None
    started: Draft | None = None
    pause: Draft | None = None
    resumed: Draft | None = None
    waiting: tuple[FrameType, int, FrameType] | None = None
    waits: int = 0


class RequestWatch(Watcher):
    """Makes steps of what the instruments tell.

    Args:
        timeline: Where to.
        places: Tells the project's own code.
        looks: Tells where a stretch spends its time.
        max_hold_ms: For how long a stretch may hold the loop.

    Attributes:
        tasks: Those that the request's code has made and that have begun.
    """

    def __init__(
        self, timeline: Timeline, places: Places, looks: StretchLooks, max_hold_ms: float
    ) -> None:
        self._timeline = timeline
        self._places = places
        self._looks = looks
        self.tasks: list[asyncio.Task[Any]] = []
        self._max_hold_ms = max_hold_ms
        self._runs: dict[Greenlet, _Run] = {}
        self._root: Greenlet | None = None
        self._others: deque[tuple[float, int]] = deque(maxlen=_MOST_OTHERS)
        self._has_queued = False
        self._pieces = 0
        self._sent_bytes = 0

    def receive(self, environ: Mapping[str, Any], lane: str) -> None:
        """Add the first steps."""
        if request_number.get(None) != 0:
            return
        timeline = self._timeline
        timeline.begin()
        timeline.lane = lane
        # A Context itself, and no copy, is to be had from its greenlet alone.
        track = timeline.add_track("request", None, getcurrent().gr_context)
        current_track.set(track)
        query = environ.get("QUERY_STRING")
        path = f"{environ['PATH_INFO']}?{query}" if query else environ["PATH_INFO"]
        timeline.add(track, Action.RECEIVED, f"received {environ['REQUEST_METHOD']} {path}")
        where = "the event loop" if lane == "loop" else "a worker thread"
        timeline.add(track, Action.LANE, f"lane chosen: {where}")

    def queue(self, threads: int) -> None:
        """Add a step that ends when a thread is there."""
        track = current_track.get(None)
        if track is not None:
            track.queued = self._timeline.add(
                track, Action.QUEUED, "waits for a worker thread", result=f"one of {threads}"
            )

    def run(self, greenlet: Greenlet, lane: str) -> None:
        """Add a step for what begins, or goes on."""
        context = greenlet.gr_context
        number = None if context is None else context.get(request_number)
        if number != 0 or context is None:
            if number is not None:
                self._others.append((self._timeline.now(), number))
            return
        run = self._runs.get(greenlet)
        if run is None:
            run = self._begin(greenlet, lane, context)
            if run is None:
                return
        elif run.pause is not None and run.resumed is None:
            self._resume(run, run.pause)
        if lane == "thread":
            self._end_queue(run.track)
        run.stretch = self._looks.begin()

    def pause(self, greenlet: Greenlet, awaited: object) -> None:
        """Add a step for what waits, or has ended."""
        run = self._runs.get(greenlet)
        if run is None or not isinstance(greenlet, BridgeGreenlet):
            return
        if run.stretch is not None:
            took_ms = self._looks.end(run.stretch)
            if took_ms > self._max_hold_ms:
                tell = self._tell_stays if self._is_in_thread(greenlet) else self._tell_hold
                tell(run, run.stretch)
            run.stretch = None
        if greenlet.busy:
            self._wait(run, greenlet, awaited)
        else:
            del self._runs[greenlet]
            self._end(run)

    def send(self, messages: list[Any]) -> None:
        """Add a step for what is sent."""
        track = current_track.get(None)
        if request_number.get(None) != 0 or track is None:
            return
        sent_bytes = sum(len(message.get("body", b"")) for message in messages)
        self._sent_bytes += sent_bytes
        start = messages[0]
        more = messages[-1].get("more_body", False)
        if start["type"] == "http.response.start":
            kind = _get_content_type(start)
            words = f"{start['status']}{f', {kind}' if kind else ''}"
            if more:
                self._timeline.add(track, Action.SENT, "response begun", result=words)
            else:
                words = f"{words}, {count(sent_bytes, 'byte')}"
                self._timeline.add(track, Action.SENT, "response sent", result=words)
                return
        if sent_bytes:
            self._pieces += 1
            self._timeline.add(
                track,
                Action.SENT,
                "piece of the response sent",
                result=count(sent_bytes, "byte"),
            )
        if not more:
            words = f"{count(self._pieces, 'piece')}, {count(self._sent_bytes, 'byte')}"
            self._timeline.add(track, Action.SENT, "response complete", result=words)

    def end(self) -> None:
        """Add the last step."""
        track = current_track.get(None)
        if request_number.get(None) == 0 and track is not None:
            track.end_ms = self._timeline.now()
            self._timeline.add(track, Action.ENDED, "request over", duration_ms=track.end_ms)

    def _begin(self, greenlet: Greenlet, lane: str, context: Context) -> _Run | None:
        track = context.get(current_track)
        if track is None or not isinstance(greenlet, BridgeGreenlet):
            return None
        sys.set_coroutine_origin_tracking_depth(ORIGIN_DEPTH)  # a setting of each thread
        run = self._runs[greenlet] = _Run(track)
        is_root = self._root is None
        if is_root:
            self._root = greenlet
        if lane == "thread":
            self._begin_thread(run, is_root)
        elif track.context is not context:
            self._begin_task(run, context)
        return run

    def _begin_thread(self, run: _Run, is_root: bool) -> None:
        track, timeline = run.track, self._timeline
        if not is_root:
            name = threading.current_thread().name
            run.started = timeline.add(
                track,
                Action.THREAD_STARTED,
                "the function of `run_sync` begins in a worker thread",
                state="running",
                thread=name,
            )

    def _end_queue(self, track: Track) -> None:
        """Say how long a strand has waited for its thread; only the first time if not at all."""
        queued, track.queued = track.queued, None
        if queued is None:
            return
        queued.duration_ms = self._timeline.now() - queued.at_ms
        if queued.duration_ms < _LEAST_QUEUE_MS and self._has_queued:
            self._timeline.remove(queued)
        self._has_queued = True
        name = threading.current_thread().name
        queued.result = f"{name}, {queued.result}, after {format_duration(queued.duration_ms)}"

    def _begin_task(self, run: _Run, context: Context) -> None:
        """Begin a strand. Its Context is the current one, as its driver runs."""
        task = asyncio.current_task()
        coroutine = None if task is None else find_carried(task)
        name = "task" if coroutine is None else name_coroutine(coroutine)
        number = len(self._timeline.tracks)
        # Python 3.13.0 calls tasks without a name "None".
        called = (
            f"Task-{number}" if task is None else task.get_name().replace("None", f"Task-{number}")
        )
        label = f"{name}, {called}"
        maker = f"`{run.track.name}`" if run.track.number else "the request"
        run.track = track = self._timeline.add_track(label, run.track, context)
        current_track.set(track)
        if coroutine is None:
            return
        run.coroutine = coroutine
        track.coroutines.append(coroutine)
        frame = coroutine.cr_frame
        run.started = self._timeline.add(
            track,
            Action.TASK_STARTED,
            f"task `{name}` started",
            place=self._places.locate(frame).place if frame is not None else "",
            state=inspect.CORO_RUNNING,
            result=f"made by {maker}",
            variables=self._compare(track, frame),
        )
        if task is not None:
            self.tasks.append(task)
            task.add_done_callback(partial(self._end_task, track, name))

    def _end_task(self, track: Track, name: str, task: asyncio.Task[Any]) -> None:
        """Add the step in which a task has its result."""
        track.end_ms = self._timeline.now()
        if task.cancelled():
            result = "cancelled"
        elif (error := task.exception()) is not None:
            result = f"raised {type(error).__name__}: {error}"
        elif self._timeline.with_variables:
            result = f"returned {show_value(task.result())}"
        else:
            result = "returned"
        state = inspect.getcoroutinestate(track.coroutines[0])
        self._timeline.add(
            track,
            Action.TASK_ENDED,
            f"task `{name}` completed",
            state=state,
            result=result,
            duration_ms=track.end_ms - track.start_ms,
        )

    def _wait(self, run: _Run, greenlet: BridgeGreenlet, awaited: object) -> None:
        track = run.track
        frames = list(walk_frames(greenlet))
        own, inside = self._places.choose(frames)
        if not own and track.stream is not None and track.stream.ag_running:
            own, inside = self._places.choose(_walk_stream(track.stream))
        if not own:
            return
        is_ours = self._places.is_own(own[0].f_code.co_filename)
        if not is_ours and self._is_paused(track, run):
            return  # inside a wait that is told already, of the request's other greenlet
        waiting = (own[0], own[0].f_lasti, inside[0]) if inside else None
        if self._goes_on(run, waiting):
            return
        spot = self._places.locate(own[0])
        view = next((item for item in own if item.f_code in self._timeline.view_codes), None)
        state = _get_state(track, "waiting")
        words = f"waits for {describe_awaited(awaited, inside)}"
        if state == inspect.CORO_RUNNING:
            words = f"{words}; it is sync code that waits, so Python calls its coroutine running"
        run.waiting, run.waits, run.resumed = waiting, 1, None
        run.pause = self._timeline.add(
            track,
            Action.PAUSED,
            f"paused at `{spot.expression}`{self._describe_callers(own)}",
            place=spot.place,
            source=spot.source,
            state=state,
            result=words,
            variables=self._compare(track, view or (own[-1] if track.number else None)),
            thread=threading.current_thread().name if self._is_in_thread(greenlet) else "",
        )

    def _is_paused(self, track: Track, run: _Run) -> bool:
        """Whether another greenlet of a strand waits."""
        return any(
            item.pause is not None and item.resumed is None
            for item in self._runs.values()
            if item.track is track and item is not run
        )

    def _goes_on(self, run: _Run, waiting: tuple[FrameType, int, FrameType] | None) -> bool:
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

    def _describe_callers(self, own: list[FrameType]) -> str:
        """Return in which function of the project's own this is, where the view called others."""
        if len(own) == 1:
            return ""
        return f" in `{own[0].f_code.co_name}`, called by `{own[1].f_code.co_name}`"

    def _resume(self, run: _Run, pause: Draft) -> None:
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

    def _end(self, run: _Run) -> None:
        if run.started is not None and run.started.action is Action.THREAD_STARTED:
            run.started.duration_ms = self._timeline.now() - run.started.at_ms
            self._timeline.add(
                run.track,
                Action.THREAD_ENDED,
                "the function of `run_sync` has ended in its thread",
                state="finished",
                result=f"after {format_duration(run.started.duration_ms)}",
                thread=run.started.thread,
            )

    def _tell_stays(self, run: _Run, stretch: Stretch) -> None:
        """Add steps for what has kept a worker thread busy."""
        timeline = self._timeline
        for stay in stretch.stays:
            stay_ms = (stay.until - stay.since) * 1000
            if stay_ms < _LEAST_STAY_MS:
                continue
            step = timeline.add(
                run.track,
                Action.BUSY,
                f"busy at `{stay.spot.expression}`",
                place=stay.spot.place,
                source=stay.spot.source,
                state="running",
                result=f"for {format_duration(stay_ms)} it computed or blocked, in its thread",
                duration_ms=stay_ms,
                thread=threading.current_thread().name,
            )
            step.at_ms = timeline.to_ms(stay.since)

    def _tell_hold(self, run: _Run, stretch: Stretch) -> None:
        """Add a step where the stretch that ends has held the loop for long."""
        track, timeline = run.track, self._timeline
        spot = stretch.find_longest()
        at_ms, gap_ms = timeline.find_gap(track, timeline.to_ms(stretch.since))
        what = "the request" if spot is None else f"`{spot.expression}`"
        step = timeline.add(
            track,
            Action.HELD,
            f"{what} holds the loop",
            place="" if spot is None else spot.place,
            source="" if spot is None else spot.source,
            state=inspect.CORO_RUNNING if track.coroutines else "running",
            result=f"for {format_duration(gap_ms)} no other request was served",
            duration_ms=gap_ms,
        )
        step.at_ms = at_ms
        where = f" at {spot.place}" if spot is not None else ""
        timeline.find(
            Kind.HELD,
            f"{what}{where} held the loop for {format_duration(gap_ms)} without a pause, so that"
            " nobody else was served. Await an async call in its place, or wrap it:"
            " `await flasync.run_sync(…)`",
            step.place,
            step,
        )

    def _compare(self, track: Track, frame: FrameType | None) -> Any:
        return track.tracker.compare(None if frame is None else frame.f_locals)

    @staticmethod
    def _is_in_thread(greenlet: Greenlet) -> bool:
        return isinstance(greenlet, ThreadGreenlet)


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


def _get_content_type(start: Mapping[str, Any]) -> str:
    headers: dict[bytes, bytes] = dict(start["headers"])
    value = headers.get(b"content-type", headers.get(b"Content-Type", b""))
    return str(value, "latin-1").partition(";")[0]
