"""Steps for stretches without a pause that are long: they hold the loop, or keep a thread busy."""

from __future__ import annotations

import inspect
import threading

from flasync.toolkit.report.wording import format_duration
from flasync.toolkit.tracing.stretch_looks import Stretch
from flasync.toolkit.tracing.timeline import Timeline, Track
from flasync.toolkit.tracing.trace import Action, Kind

# Milliseconds at one place of a thread's stretch that are worth a step.
_LEAST_STAY_MS = 20.0


def tell_busy(timeline: Timeline, track: Track, stretch: Stretch) -> None:
    """Add steps for what has kept a worker thread busy."""
    for stay in stretch.stays:
        stay_ms = (stay.until - stay.since) * 1000
        if stay_ms < _LEAST_STAY_MS:
            continue
        step = timeline.add(
            track,
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


def tell_held(timeline: Timeline, track: Track, stretch: Stretch) -> None:
    """Add a step where the stretch that ends has held the loop for long."""
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
