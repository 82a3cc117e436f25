"""When the view's own code starts and returns, by a profile function.

A profile function belongs to a thread, and on Python 3.11 to a greenlet in it: it is set where
the view is called, and is still set when the view goes on after a wait. It only looks at the
view's own code, in the traced request.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from flasync.toolkit.tracing.places import Places, Spot
from flasync.toolkit.tracing.timeline import Timeline, Track, current_track


@dataclass(frozen=True, slots=True)
class ViewEnd:
    """Where the view's code was left last."""

    spot: Spot
    shown: dict[str, str]
    state: str
    at_ms: float


class ViewProfile:
    """Calls back when the view's own code starts.

    Args:
        timeline: Knows the code, and the time.
        places: Names its places.
        get_state: Returns the state of the view's coroutine.
        on_start: Called with the strand, the code and the variables.

    Attributes:
        has_started: Whether the view's own code has.
        last_end: Where the code was left last: by a wait, a return or an exception.
    """

    def __init__(
        self,
        timeline: Timeline,
        places: Places,
        get_state: Callable[[], str],
        on_start: Callable[[Track, CodeType, dict[str, str]], None],
    ) -> None:
        self._timeline = timeline
        self._places = places
        self._get_state = get_state
        self._on_start = on_start
        self.has_started = False
        self.last_end: ViewEnd | None = None

    @contextmanager
    def watch(self) -> Generator[None]:
        """Look at what runs in this block, in this thread and greenlet."""
        before = sys.getprofile()
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(before)

    def _note(self, frame: FrameType, event: str, value: Any) -> None:
        if event not in {"call", "return"} or frame.f_code not in self._timeline.view_codes:
            return
        track = current_track.get(None)
        if track is None or track.number:
            return
        if event == "call":
            if not self.has_started:
                self.has_started = True
                self._on_start(track, frame.f_code, track.tracker.read(frame.f_locals))
        else:
            shown = track.tracker.read(frame.f_locals)
            spot = self._places.locate(frame)
            self.last_end = ViewEnd(spot, shown, self._get_state(), self._timeline.now())
