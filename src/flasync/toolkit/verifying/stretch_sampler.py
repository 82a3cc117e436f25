"""The thread that looks where the stretches under way are, every few milliseconds."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

# By name: an app that replaces `time.sleep` must not replace ours.
from time import perf_counter, sleep, thread_time
from types import FrameType

from flasync.toolkit.observing.recording.sampler import Pace
from flasync.toolkit.verifying.sights import Sights, list_frames
from flasync.toolkit.verifying.stretches import Sample, Stretch, WatchedThread

_log = logging.getLogger("flasync")

# Seconds between two looks, if that many looks take no more than their share of the time.
_INTERVAL_S = 0.004

# A stretch is looked at when it has taken so many seconds: short ones are left alone.
_PATIENCE_S = 0.002

# Samples of one stretch; then every other one is dropped.
_MOST_SAMPLES = 2048

# Seconds without a stretch after which it is calm, and after which the thread rests: to wake it
# costs a request more than many looks do.
_CALM_S = 0.02
_REST_S = 0.2

# Seconds without calm, after which what can wait is done all the same.
_MOST_BUSY_S = 1.0


class StretchSampler:
    """Looks at the stretches of the threads that it is told of, and adds samples to them.

    Args:
        sights: What reads them.
        on_calm: Does a little of what can wait, and returns whether more is to do. Called in the
            thread when no stretch has been under way for a moment, or always one. No other thread
            may do that: after a call that kept the interpreter lock, whoever waits for the lock
            gets it, and it must be the sampler that sees that call.
    """

    def __init__(self, sights: Sights, on_calm: Callable[[], bool]) -> None:
        self._sights = sights
        self._on_calm = on_calm
        self._threads: dict[int, WatchedThread] = {}
        self._awake = threading.Event()
        threading.Thread(target=self._run, name="flasync-witness-sampler", daemon=True).start()

    def adopt(self, thread: WatchedThread) -> None:
        """Look at a thread from now on. Runs in: that thread."""
        self._threads[thread.ident] = thread

    def wake(self) -> None:
        """Begin to look, unless it does already. Runs in: any thread, as a stretch begins."""
        if not self._awake.is_set():
            self._awake.set()

    def _run(self) -> None:
        pace = Pace()
        busy_at = calm_at = perf_counter()
        while True:
            # Before the look: it may have waited for a call that keeps the interpreter lock.
            now = perf_counter()
            has_more = False
            if now - busy_at > _CALM_S or now - calm_at > _MOST_BUSY_S:
                has_more = self._on_calm()
                calm_at = calm_at if has_more else now
            started = thread_time()
            is_busy = self._try_to_look()
            pause_s = max(_INTERVAL_S, pace.choose_pause(thread_time() - started))
            if is_busy:
                busy_at = perf_counter()
            if now - busy_at > _REST_S and not has_more:
                self._rest()
                busy_at = perf_counter()
            else:
                sleep(pause_s)

    def _rest(self) -> None:
        """Wait for a stretch or a line, unless there is one; then look at once."""
        self._awake.clear()
        has_more = self._on_calm()
        under_way = any(thread.under_way for thread in list(self._threads.values()))
        if not under_way and not has_more:
            self._awake.wait()

    def _try_to_look(self) -> bool:
        """Look, and go on after a look that failed: the thread has the evidence to write too."""
        try:
            return self._look()
        except Exception:
            _log.exception("flasync verify could not see where the requests are.")
            return True

    def _look(self) -> bool:
        """Look at each thread once; return whether a stretch is under way."""
        now = perf_counter()
        running = [
            (thread, stretch)
            for thread in list(self._threads.values())
            for stretch, _ in thread.under_way[-1:]
        ]
        long = [pair for pair in running if now - pair[1].start > _PATIENCE_S]
        if long:
            frames = sys._current_frames()
            for thread, stretch in long:
                self._take(thread, stretch, frames.get(thread.ident))
        return bool(running)

    def _take(self, thread: WatchedThread, stretch: Stretch, frame: FrameType | None) -> None:
        """Add a sample of what was a stretch's frame a moment ago, if it has not ended since."""
        sample = Sample(perf_counter(), thread.read_cpu(), self._sights.see(list_frames(frame)))
        if stretch.end:
            return
        if len(stretch.samples) >= _MOST_SAMPLES:
            del stretch.samples[::2]
        stretch.samples.append(sample)
