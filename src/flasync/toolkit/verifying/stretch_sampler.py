"""The thread that looks where the stretches under way are, every few milliseconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

# By name: an app that replaces `time.sleep` must not replace ours.
from time import perf_counter, sleep, thread_time
from types import FrameType

from flasync.toolkit.observing.recording.sampler import Pace
from flasync.toolkit.verifying.sights import Sights, walk_callers
from flasync.toolkit.verifying.stretches import Sample, Stretch, WatchedThread

# Seconds between two looks, if that many looks take no more than their share of the time.
_INTERVAL_S = 0.004

# A stretch is looked at when it has taken so many seconds: short ones are left alone.
_PATIENCE_S = 0.002

# Samples of one stretch; then every other one is dropped.
_MOST_SAMPLES = 2048


# Seconds for which stretches may follow one another before the calm is announced all the same.
_MOST_BUSY_S = 1.0


class StretchSampler:
    """Looks at the stretches of the threads that it is told of, and adds samples to them.

    Args:
        sights: What reads them.
        on_calm: Called when no stretch is under way, and every so often when there always is one.
    """

    def __init__(self, sights: Sights, on_calm: Callable[[], None]) -> None:
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
        calm_at = perf_counter()
        while True:
            started = thread_time()
            is_busy = self._look()
            pause_s = max(_INTERVAL_S, pace.choose_pause(thread_time() - started))
            if not is_busy or perf_counter() - calm_at > _MOST_BUSY_S:
                calm_at = perf_counter()
                self._on_calm()
            if is_busy:
                sleep(pause_s)
            else:
                # It looks at once then: a call that keeps the interpreter lock may have begun.
                self._rest()

    def _rest(self) -> None:
        """Wait for a stretch, unless one has begun meanwhile."""
        self._awake.clear()
        if not any(thread.under_way for thread in list(self._threads.values())):
            self._awake.wait()

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
        sample = Sample(perf_counter(), thread.read_cpu(), self._sights.see(walk_callers(frame)))
        if stretch.end:
            return
        if len(stretch.samples) >= _MOST_SAMPLES:
            del stretch.samples[::2]
        stretch.samples.append(sample)
