"""A trace from end to end: start the app, send the request and others beside it, collect."""

from __future__ import annotations

import asyncio
import gc
import platform
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

import flask

from flasync import ASGI, instruments
from flasync.toolkit.tracing.memory_client import GRACE_S, MemoryRequest, Message, end, live
from flasync.toolkit.tracing.places import Places
from flasync.toolkit.tracing.registered import watch_registered
from flasync.toolkit.tracing.request_watch import ORIGIN_DEPTH, RequestWatch, request_number
from flasync.toolkit.tracing.shown_values import mask_text
from flasync.toolkit.tracing.stretch_looks import StretchLooks
from flasync.toolkit.tracing.timeline import Timeline, current_track
from flasync.toolkit.tracing.trace import Action, Kind, Step, Trace
from flasync.toolkit.tracing.unawaited import watch_unawaited
from flasync.toolkit.tracing.view_calls import ViewCalls

_SERVER_ERROR = 500

# Milliseconds without a pause from which on the users of other requests notice.
MAX_HOLD_MS = 50.0

# Seconds for which tasks are followed that outlive their request.
_TASKS_S = 1.0

# Settings of the app that a trace has its own of: it tells stalls itself, with their step, and the
# one request that may still be under way at its end has had its time.
_SETTINGS = {"STALL_WARNING": None, "GRACEFUL_TIMEOUT": 1.0}
_UNSET = object()


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be traced.

    Attributes:
        message: The request.
        beside: How many of the same are sent meanwhile.
        timeout_s: Seconds after which the client leaves.
        max_hold_ms: For how long the request may hold the loop without a pause.
        with_variables: Whether local variables are followed.
        root: The project's folder.
    """

    message: Message
    beside: int = 0
    timeout_s: float = 30.0
    max_hold_ms: float = MAX_HOLD_MS
    with_variables: bool = True
    root: Path = Path()


def trace_request(app: flask.Flask, order: Order) -> Trace:
    """Send a request to an app and return what it did, step by step.

    Args:
        app: The app. It is started before, and shut down afterwards.
        order: What is to be traced.

    Raises:
        AppStartError: A startup hook of the app failed.

    Runs in: the main thread, without a running loop.
    """
    before = {name: app.config.get(name, _UNSET) for name in _SETTINGS}
    app.config.update(_SETTINGS)
    try:
        return asyncio.run(_Tracing(app, order).run())
    finally:
        for name, value in before.items():
            del app.config[name]
            if value is not _UNSET:
                app.config[name] = value


class _Tracing:
    """One trace."""

    def __init__(self, app: flask.Flask, order: Order) -> None:
        self._app = app
        self._asgi = ASGI(app)
        self._order = order
        self._places = Places(order.root)
        self._timeline = Timeline(order.with_variables)
        self._views = ViewCalls(self._timeline, self._places)
        self._error: BaseException | None = None

    async def run(self) -> Trace:
        async with live(self._asgi):
            request = self._build_request()
            with StretchLooks(self._places) as looks:
                watch = RequestWatch(self._timeline, self._places, looks, self._order.max_hold_ms)
                with (
                    _watching(watch),
                    watch_registered(self._app, self._timeline, self._places, self._views),
                    watch_unawaited(self._timeline, self._places, lambda: current_track.get(None)),
                ):
                    await self._send(request, looks)
                    await self._wait_for_tasks(watch)
                    gc.collect()  # a coroutine in a circle is destroyed no sooner
            return self._build_trace(request)

    def _build_request(self) -> MemoryRequest:
        host = self._app.config["SERVER_NAME"] or "localhost"
        message = self._order.message
        return MemoryRequest(self._asgi, message.build_scope(host), message.body)

    async def _send(self, request: MemoryRequest, looks: StretchLooks) -> None:
        """Send the request, and the others right after it."""
        traced = self._start(request, 0)
        others = [self._build_request() for _ in range(self._order.beside)]
        tasks = [self._start(other, number) for number, other in enumerate(others, 1)]
        await asyncio.wait([traced], timeout=self._order.timeout_s)
        if not traced.done():
            self._leave(request, looks)
        await asyncio.wait([traced, *tasks], timeout=GRACE_S)
        for other in others:
            other.leave()
        self._error = await end(traced)
        for task in tasks:
            await end(task)

    @staticmethod
    async def _wait_for_tasks(watch: RequestWatch) -> None:
        """Give tasks that outlive their request a moment to end."""
        await asyncio.sleep(0)  # one that was made at the very end has not begun
        if watch.tasks:
            await asyncio.wait(watch.tasks, timeout=_TASKS_S)

    @staticmethod
    def _start(request: MemoryRequest, number: int) -> asyncio.Task[None]:
        context = copy_context()
        context.run(request_number.set, number)
        return asyncio.get_running_loop().create_task(request.run(), context=context)

    def _leave(self, request: MemoryRequest, looks: StretchLooks) -> None:
        """Have the client leave, since the request takes too long."""
        request.leave()
        place, where = "", ""
        step = None
        if self._timeline.tracks:
            track = self._timeline.tracks[0]
            last, busy = self._timeline.get_last(track), looks.find_current()
            if last is not None and last.action is Action.PAUSED:
                place, where = last.place, f" It was {last.text} ({last.place})."
            elif busy is not None:
                place, where = busy.place, f" It was busy at `{busy.expression}` ({busy.place})."
            step = self._timeline.add(
                track, Action.LEFT, "the client leaves", result="the time is up"
            )
        self._timeline.find(
            Kind.LEFT,
            f"no response within {self._order.timeout_s:g} s, and the client left.{where}"
            " Give it longer with --timeout, or find what it waits for",
            place,
            step,
        )

    def _build_trace(self, request: MemoryRequest) -> Trace:
        timeline = self._timeline
        self._explain_lane(request.status)
        self._tell_failure(request)
        duration_ms = timeline.now()
        strands, steps, findings = timeline.finish()
        if strands and strands[0].end_ms is not None:
            duration_ms = strands[0].end_ms
        message = self._order.message
        return Trace(
            app=self._app.import_name,
            method=message.method,
            path=mask_text(message.target),
            lane=timeline.lane,
            status=request.status,
            body_bytes=request.body_bytes,
            duration_ms=duration_ms,
            waited_ms=_sum_pauses(steps),
            beside=self._order.beside,
            python=platform.python_version(),
            strands=strands,
            steps=steps,
            findings=findings,
        )

    def _explain_lane(self, status: int | None) -> None:
        """Say why the lane was chosen, which the view tells that was called."""
        step = self._timeline.find_step(Action.LANE)
        if step is not None:
            answer = "" if status is None else f": the answer is {status}"
            step.result = self._views.choice or f"no view was called{answer}"

    def _tell_failure(self, request: MemoryRequest) -> None:
        raised = self._timeline.find_step(Action.RAISED)
        if self._error is None and (request.status or 0) < _SERVER_ERROR:
            return
        what = mask_text(repr(self._error))
        if raised is not None:
            what = f"{raised.result} ({raised.place})" if raised.place else raised.result
        if raised is None and self._error is None:
            what = f"it answered {request.status}"
        self._timeline.find(
            Kind.FAILED, f"the request failed: {what}", raised.place if raised else "", raised
        )


@contextmanager
def _watching(watch: RequestWatch) -> Generator[None]:
    """Be told by the runtime within this block, and have coroutines remember their origins."""
    before, depth = instruments.watcher, sys.get_coroutine_origin_tracking_depth()
    instruments.set_watcher(watch)
    sys.set_coroutine_origin_tracking_depth(ORIGIN_DEPTH)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)
        instruments.set_watcher(before)


def _sum_pauses(steps: tuple[Step, ...]) -> float:
    """Return for how long the request's own strand was paused, nested pauses counted once."""
    total = last_end = 0.0
    for step in steps:
        if step.strand == 0 and step.action is Action.PAUSED and step.duration_ms is not None:
            end = step.at_ms + step.duration_ms
            total += max(0.0, end - max(step.at_ms, last_end))
            last_end = max(last_end, end)
    return total
