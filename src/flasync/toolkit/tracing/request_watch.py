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
from collections.abc import Mapping
from contextvars import Context, ContextVar
from functools import partial
from typing import Any

from greenlet import getcurrent
from greenlet import greenlet as Greenlet

from flasync.bridge import BridgeGreenlet, ThreadGreenlet
from flasync.instruments import Watcher
from flasync.toolkit.report.wording import format_duration
from flasync.toolkit.tracing.awaited import find_carried, name_coroutine
from flasync.toolkit.tracing.long_stretches import tell_busy, tell_held
from flasync.toolkit.tracing.pauses import Pauses, Run, compare_variables
from flasync.toolkit.tracing.places import Places
from flasync.toolkit.tracing.response_steps import ResponseSteps
from flasync.toolkit.tracing.shown_values import mask_text, show_value
from flasync.toolkit.tracing.stretch_looks import StretchLooks
from flasync.toolkit.tracing.timeline import Timeline, Track, current_track
from flasync.toolkit.tracing.trace import Action
from flasync.toolkit.tracing.view_calls import describe_error

# 0 in the traced request and in its tasks, from 1 in the others that are sent meanwhile.
request_number: ContextVar[int] = ContextVar("flasync.trace.request")

# Frames of a coroutine's origin that are kept, for those that are never awaited.
ORIGIN_DEPTH = 20

# Milliseconds of waiting for a thread, again, that are worth a step.
_LEAST_QUEUE_MS = 1.0


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
        self._runs: dict[Greenlet, Run] = {}
        self._root: Greenlet | None = None
        self._pauses = Pauses(timeline, places)
        self._response = ResponseSteps(timeline)
        self._has_queued = False

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
        what = f"{environ['REQUEST_METHOD']} {mask_text(path)}"
        timeline.add(track, Action.RECEIVED, f"received {what}")
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
                self._pauses.note_other(number)
            return
        run = self._runs.get(greenlet)
        if run is None:
            run = self._begin(greenlet, lane, context)
            if run is None:
                return
        self._pauses.end(run)
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
                tell = tell_busy if isinstance(greenlet, ThreadGreenlet) else tell_held
                tell(self._timeline, run.track, run.stretch)
            run.stretch = None
        if greenlet.busy:
            self._pauses.begin(run, greenlet, awaited, self._runs.values())
        else:
            del self._runs[greenlet]
            self._end(run)

    def send(self, messages: list[Any]) -> None:
        """Add a step for what is sent."""
        track = current_track.get(None)
        if request_number.get(None) == 0 and track is not None:
            self._response.note(track, messages)

    def end(self) -> None:
        """Add the last step."""
        track = current_track.get(None)
        if request_number.get(None) == 0 and track is not None:
            track.end_ms = self._timeline.now()
            self._timeline.add(track, Action.ENDED, "request over", duration_ms=track.end_ms)

    def _begin(self, greenlet: Greenlet, lane: str, context: Context) -> Run | None:
        track = context.get(current_track)
        if track is None or not isinstance(greenlet, BridgeGreenlet):
            return None
        sys.set_coroutine_origin_tracking_depth(ORIGIN_DEPTH)  # a setting of each thread
        run = self._runs[greenlet] = Run(track)
        is_root = self._root is None
        if is_root:
            self._root = greenlet
        if lane == "thread":
            self._begin_thread(run, is_root)
        elif track.context is not context:
            self._begin_task(run, context)
        return run

    def _begin_thread(self, run: Run, is_root: bool) -> None:
        if not is_root:
            name = threading.current_thread().name
            run.started = self._timeline.add(
                run.track,
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

    def _begin_task(self, run: Run, context: Context) -> None:
        """Begin a strand. Its Context is the current one, as its driver runs."""
        task = asyncio.current_task()
        coroutine = None if task is None else find_carried(task)
        name = "task" if coroutine is None else name_coroutine(coroutine)
        called = "None" if task is None else task.get_name()
        if called == "None":  # what Python 3.13.0 calls a task without a name
            called = f"Task-{len(self._timeline.tracks)}"
        label = f"{name}, {called}"
        maker = f"`{run.track.name}`" if run.track.number else "the request"
        run.track = track = self._timeline.add_track(label, run.track, context)
        current_track.set(track)
        if coroutine is None:
            return
        track.coroutines.append(coroutine)
        frame = coroutine.cr_frame
        is_ours = self._places.is_own(coroutine.cr_code.co_filename)
        run.started = self._timeline.add(
            track,
            Action.TASK_STARTED,
            f"task `{name}` started",
            place=self._places.locate_definition(coroutine.cr_code),
            state=inspect.CORO_RUNNING,
            result=f"made by {maker}",
            variables=compare_variables(track, frame if is_ours else None),
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
            result = f"raised {describe_error(error)}"
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

    def _end(self, run: Run) -> None:
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
