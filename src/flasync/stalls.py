"""Stalls: when a request holds the event loop, say which one, at which line, for how long.

Between two switches a request has the loop to itself. The bridge tells the loop's `StallMonitor`
when such a stretch begins and ends, so the guilty request is known and not guessed. A watchdog
thread looks at the stretch under way; one that has run for longer than the threshold has its
stack taken, while it is still there to be seen. The report is made when the stretch ends, or, for
one that does not, after `STILL_RUNNING_S`.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from flasync.bridge import Monitor, describe, get_monitor, list_suspended, set_monitor
from flasync.locks import HeldLock, find_held_lock

# Seconds after which a stretch is reported although it has not ended: a deadlock never does.
STILL_RUNNING_S = 5.0
# Stretches of one place are reported at most this often, in seconds.
REPEAT_S = 10.0

# Places whose last report is remembered.
_MOST_PLACES = 1024

_LIBRARIES = (
    *{path for name, path in sysconfig.get_paths().items() if "lib" in name or "std" in name},
    str(Path(__file__).parent),
    "<",
)


@dataclass(frozen=True, slots=True)
class Stall:
    """The loop held by one request without a switch.

    Attributes:
        who: The request, as "GET /path".
        held_ms: For how many milliseconds, so far.
        user_frame: The innermost frame of code that is not installed in a library, as
            "file:line in function"; "" if the stretch was over before its stack was taken.
        frame: The innermost frame of Python code, in the same form.
        has_ended: Whether the loop is free again.
        held_lock: The lock that the loop stands still at, if another request holds it.
    """

    who: str
    held_ms: float
    user_frame: str
    frame: str
    has_ended: bool
    held_lock: HeldLock | None = None

    def __str__(self) -> str:
        """Return the sentence for the log: what happened, where, and what to do."""
        held = "held" if self.has_ended else "has been holding"
        where = self.user_frame or "a place that was left before it could be seen"
        inside = f" (in {self.frame})" if self.frame != self.user_frame else ""
        stall = f"{self.who} {held} the event loop for {self.held_ms:.0f} ms at {where}{inside}"
        if self.held_lock is not None:
            return f"{stall}. {self.held_lock}"
        return (
            f"{stall}; every other request waited. Await an async call there, wrap it in "
            "`await flasync.run_sync(...)`, or mark the view with @flasync.in_thread."
        )


class StallMonitor(Monitor):
    """Watches one event loop.

    Args:
        threshold_s: Seconds that a stretch may take.
        report: Called with each stall, in the loop's thread or the watchdog's.

    Attributes:
        apps: How many apps on the loop want it watched.

    Runs in: the event loop.
    """

    def __init__(self, threshold_s: float, report: Callable[[Stall], None]) -> None:
        super().__init__(threshold_s)
        self.apps = 0
        self._report = report
        self._seen_since = 0.0
        self._seen_frames = ("", "")
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._stopped = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="flasync-watchdog", daemon=True)
        self._watchdog.start()

    def report_end(self, function: Any, held_s: float) -> None:
        """Report a stretch that has ended."""
        self._tell(function, self.since, held_s, has_ended=True)

    def stop(self) -> None:
        """End the watchdog thread and wait for it."""
        self._stopped.set()
        self._watchdog.join()

    def _watch(self) -> None:
        """Look at the stretch under way, twice a threshold. Runs in: the watchdog thread."""
        told_since = 0.0
        while not (self._stopped.wait(self.threshold_s / 2) or self._loop.is_closed()):
            function, since = self.function, self.since
            held_s = time.perf_counter() - since
            if function is None or held_s < self.threshold_s:
                continue
            held_lock = None
            if self._seen_since != since:
                frame = sys._current_frames().get(self._loop_thread)
                self._seen_frames = _find_frames(frame)
                self._seen_since = since
                held_lock = frame and find_held_lock(frame, list_suspended())
            if told_since != since and (held_lock or held_s > STILL_RUNNING_S):
                told_since = since
                self._tell(function, since, held_s, has_ended=False, held_lock=held_lock)

    def _tell(
        self,
        function: Any,
        since: float,
        held_s: float,
        *,
        has_ended: bool,
        held_lock: HeldLock | None = None,
    ) -> None:
        user_frame, frame = self._seen_frames if self._seen_since == since else ("", "")
        who = describe(function)
        self._report(Stall(who, held_s * 1000, user_frame, frame, has_ended, held_lock))


def log_stall(app_log: logging.Logger) -> Callable[[Stall], None]:
    """Return a reporter that logs stalls as warnings, each place once in `REPEAT_S` seconds."""
    told: dict[str, float] = {}

    def report(stall: Stall) -> None:
        now = time.monotonic()
        place = stall.user_frame or stall.who
        if now - told.get(place, -REPEAT_S) >= REPEAT_S:
            if len(told) >= _MOST_PLACES:
                told.clear()
            told[place] = now
            app_log.warning("%s", stall)

    return report


def watch_loop(threshold_s: float, report: Callable[[Stall], None]) -> None:
    """Watch the running loop for one more app; the first one's threshold and report count.

    Runs in: the event loop.
    """
    monitor = get_monitor()
    if monitor is None:
        monitor = StallMonitor(threshold_s, report)
        set_monitor(monitor)
    if isinstance(monitor, StallMonitor):
        monitor.apps += 1


def unwatch_loop() -> None:
    """Stop watching the running loop, when this was the last app. Runs in: the event loop."""
    monitor = get_monitor()
    if isinstance(monitor, StallMonitor):
        monitor.apps -= 1
        if not monitor.apps:
            set_monitor(None)
            monitor.stop()


def _find_frames(frame: FrameType | None) -> tuple[str, str]:
    """Return the innermost frame of the user's code and the innermost frame of all.

    The user's code is what is neither the standard library nor installed beside it.
    """
    innermost = _place(frame) if frame is not None else ""
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    return (_place(frame) if frame is not None else innermost), innermost


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
