"""The thread that looks at the requests under way, about once a millisecond."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable

# By name: a test that replaces `time.sleep` must not replace ours.
from time import clock_gettime, perf_counter, sleep, thread_time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.in_flight import InFlight, Visit, VisitedThread
    from flasync.toolkit.observing.recording.ledger import Ledger
    from flasync.toolkit.observing.recording.stacks import Key, Stacks
    from flasync.toolkit.observing.recording.thread_states import ThreadStates

INTERVAL_S = 0.001
# A look at many or deep threads takes longer; it may take this share of the time.
_LOOKING_SHARE = 0.04
# The cheapest one of so many looks is taken for the usual one. While there were two, a request of
# 100 ms once passed unseen.
LOOKS_COMPARED = 8
# Writing may take this share of the time, and comes at most so often, in seconds: while requests
# are under way, and when none has been for a moment.
_WRITING_SHARE = 0.05
_WRITE_BUSY_S = 1.0
_WRITE_IDLE_S = 0.02


class Sight(NamedTuple):
    """What the sampler saw of a visit.

    Attributes:
        visit: Which one.
        key: Where it was.
        kind: What it waited for, "" for unknown; None: it ran, or would have if it could.
        is_away: Whether it waited for its own coroutine, whose visit has that time.
    """

    visit: Visit
    key: Key
    kind: str | None
    is_away: bool


class Pace:
    """How often to look: so that it takes a certain share of the time, and no more.

    The cheapest one of the last `LOOKS_COMPARED` is taken for the usual one. Others may take twenty
    times as long, as they see code for the first time or the garbage collector runs in them: a
    pause by that measure would be most of a second, and whole requests would pass unseen. The first
    looks are compared with free ones, as they are the most likely to be such others.
    """

    def __init__(self) -> None:
        self._looked_s = deque([0.0] * LOOKS_COMPARED, maxlen=LOOKS_COMPARED)

    def choose_pause(self, looked_s: float) -> float:
        """Return the seconds to pause after a look that took so many seconds of CPU time."""
        self._looked_s.append(looked_s)
        return max(INTERVAL_S, min(self._looked_s) / _LOOKING_SHARE)


class Sampler:
    """Looks at the threads of `in_flight` and adds what it sees to their requests' records.

    Its thread is one that `threading.enumerate()` does not list: programs and their tests count
    their threads.
    """

    def __init__(
        self,
        in_flight: InFlight,
        stacks: Stacks,
        states: ThreadStates,
        ledger: Ledger,
        write: Callable[[], None],
    ) -> None:
        self._in_flight = in_flight
        self._stacks = stacks
        self._states = states
        self._ledger = ledger
        self._write = write
        self._written_at = perf_counter()
        self._writing_s = 0.0
        self._native_id = 0
        self.forget()

    def wake(self) -> None:
        """Begin to look, unless it does already. Runs in: any thread."""
        if not self._awake.is_set():
            self._awake.set()
            if self._ended.acquire(blocking=False):
                # The thread inherits the mask: a signal must reach a main thread that waits for
                # one, as in a program that would have no other thread without us.
                mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                _thread.start_new_thread(self._run, ())
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def stop(self) -> None:
        """End the thread, wait for its end, and take and write what is left."""
        self._stopping = True
        self._awake.set()
        with self._ended:
            self._awake.clear()
            self._stopping = False
            self._absorb()
            if self._ledger.is_dirty:
                self._write()
        while self._native_id and os.path.exists(f"/proc/self/task/{self._native_id}"):
            sleep(0)  # `os.fork` warns when there is another thread
        self._native_id = 0

    def forget(self) -> None:
        """Begin anew: after a fork, the thread is the parent's."""
        self._awake = threading.Event()
        self._stopping = False
        self._ended = _thread.allocate_lock()
        self._native_id = 0

    def _run(self) -> None:
        self._native_id = threading.get_native_id()
        pace, pause_s = Pace(), INTERVAL_S
        try:
            while not self._stopping:
                sleep(pause_s)
                started = thread_time()  # what it costs, not what it waits for the lock
                self._absorb()  # before a look at the next visit hides the last at these
                if self._in_flight.threads:
                    self.look()
                self._absorb()
                pause_s = pace.choose_pause(thread_time() - started)
                self._write_if_due()
                self._rest_if_idle()
        finally:
            self._ended.release()

    def _rest_if_idle(self) -> None:
        """Wait for a request, when there is none and all is written."""
        if self._in_flight.threads or self._in_flight.left or self._ledger.is_dirty:
            return
        self._awake.clear()
        if not self._in_flight.threads and not self._stopping:
            self._awake.wait()

    def _write_if_due(self) -> None:
        least_s = _WRITE_BUSY_S if self._in_flight.threads else _WRITE_IDLE_S
        now = perf_counter()
        wait_s = max(least_s, self._writing_s / _WRITING_SHARE)
        if self._ledger.is_dirty and now - self._written_at > wait_s:
            self._write()
            self._written_at = perf_counter()
            self._writing_s = self._written_at - now

    def look(self) -> None:
        """Look at each thread with requests once."""
        if self._states.are_known:
            for thread in list(self._in_flight.threads.values()):
                self._states.prepare(thread.native_id)
        # From here on the interpreter lock is kept: nothing moves between stack and state.
        frames = sys._current_frames()
        for thread in list(self._in_flight.threads.values()):
            now = perf_counter()
            try:
                cpu = clock_gettime(thread.clock)
            except OSError:  # it has just ended
                continue
            seen = self._stacks.read(frames.get(thread.ident))
            if seen is None:
                thread.sight = None
            else:
                visit, key = seen
                elapsed_s = now - max(thread.at, visit.since)
                on_cpu = (cpu - max(thread.cpu, visit.cpu_since)) / elapsed_s if elapsed_s else 1.0
                is_away = bool(visit.record.away) and not visit.of_coroutine
                sight = Sight(visit, key, self._states.read(thread, on_cpu), is_away)
                self._settle(thread, sight, now, cpu)
                thread.sight = sight
            thread.at, thread.cpu = now, cpu

    def _settle(self, thread: VisitedThread, sight: Sight, now: float, cpu: float) -> None:
        """Share out the time since the last look, or since the visit began.

        It was spent partly where the thread was then and partly where it is now. Time off the CPU
        belongs to the one of the two where the thread waits, time on it to the one where it runs.
        """
        visit = sight.visit
        last = thread.sight if thread.sight is not None and thread.sight.visit is visit else None
        if visit.on_loop and last is None:
            return  # what the loop did meanwhile is not known
        on_s = cpu - max(thread.cpu, visit.cpu_since)
        off_s = max(now - max(thread.at, visit.since) - on_s, 0.0)
        record = visit.record
        if visit.on_loop:
            record.cpu_s += on_s
        waiting = running = sight
        if last is not None and sight.kind is None:
            waiting = last
        elif last is not None and last.kind is None:
            running = last
        if on_s > 0:
            record.add_cpu(running.key, on_s)
        if waiting.kind is None:
            record.contended_s += off_s
        elif not (sight.is_away or (last is not None and last.is_away)):
            record.add_wait(waiting.key, waiting.kind, off_s)

    def _settle_end(self, visit: Visit) -> None:
        """Share out the time from the last look at a visit to its end.

        A busy machine lets the sampler look rarely: a request that it sees but once, asleep, has
        slept until it ended. Time off the CPU after it was seen running is nobody's, as it is not
        known what it was for; neither is time on the CPU after it was seen waiting.
        """
        thread, sight = visit.thread, visit.thread.sight
        # On a loop, other requests may have had the time.
        if sight is None or sight.visit is not visit or visit.on_loop:
            return
        on_s = max(visit.cpu_until - thread.cpu, 0.0)
        off_s = max(visit.until - thread.at - on_s, 0.0)
        if sight.kind is None:
            visit.record.add_cpu(sight.key, on_s)
        elif not sight.is_away:
            visit.record.add_wait(sight.key, sight.kind, off_s)
        thread.sight, thread.at, thread.cpu = None, visit.until, visit.cpu_until

    def _absorb(self) -> None:
        left = self._in_flight.left
        while left:
            visit = left.popleft()
            self._settle_end(visit)
            self._ledger.absorb(visit.record)
        if perf_counter() - self._written_at > _WRITE_BUSY_S:
            for thread in list(self._in_flight.threads.values()):
                if thread.sight is not None:  # a long request: what it has spent so far
                    self._ledger.absorb(thread.sight.visit.record)
