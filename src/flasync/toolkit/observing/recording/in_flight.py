"""The requests under way, and the threads that they are in."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar

# By name: a test that replaces a clock of `time` must not replace ours.
from time import perf_counter, pthread_getcpuclockid, thread_time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.sampler import Sight
    from flasync.toolkit.observing.recording.stacks import Key, Point


class Target(NamedTuple):
    """What a request was for.

    Attributes:
        app: The import name of the Flask app.
        method: The HTTP method.
        rule: The URL rule; "" when no route matched.
        endpoint: Its endpoint; "" when no route matched.
    """

    app: str
    method: str
    rule: str
    endpoint: str


class Sum:
    """What one request spent at one place, in seconds."""

    __slots__ = ("cpu_s", "kinds", "waited_s")

    def __init__(self) -> None:
        self.waited_s = 0.0
        self.cpu_s = 0.0
        self.kinds: dict[str, float] = {}


class Record:
    """What is known of one request. `sums` is the sampler's, the rest the request's own thread's.

    Attributes:
        target: What it is for, as soon as Flask has matched it.
        away: How many of its coroutines are under way in an event loop, for which it waits.
    """

    __slots__ = (
        "_seen",
        "away",
        "contended_s",
        "cpu_s",
        "has_ended",
        "is_counted",
        "sums",
        "target",
        "wall_s",
    )

    def __init__(self, target: Target) -> None:
        self.target = target
        self.wall_s = self.cpu_s = self.contended_s = 0.0
        self.has_ended = self.is_counted = False
        self.away = 0
        self.sums: dict[Key, Sum] = {}
        self._seen: set[tuple[str, Point | None]] = set()

    def add_wait(self, key: Key, kind: str, waited_s: float) -> None:
        """Count a wait."""
        spent = self.sums.setdefault(key, Sum())
        spent.waited_s += waited_s
        spent.kinds[kind] = spent.kinds.get(kind, 0.0) + waited_s

    def add_cpu(self, key: Key, cpu_s: float) -> None:
        """Count time on a CPU."""
        self.sums.setdefault(key, Sum()).cpu_s += cpu_s

    def is_first(self, key: Key, what: str) -> bool:
        """Return whether the request has not done that at this call of the project's before."""
        seen = what, key.chain[-1] if key.chain else None
        if seen in self._seen:
            return False
        self._seen.add(seen)
        return True


class Visit:
    """A stretch of a request in one thread.

    Attributes:
        on_loop: Whether the thread runs an event loop: then the request shares it with others,
            and the time between two looks at it need not be its own.
        of_coroutine: Whether it is a coroutine's, within the time of another visit.
        until: When it ended, and `cpu_until` the thread's CPU clock then; 0.0 before.
    """

    __slots__ = (
        "cpu_since",
        "cpu_until",
        "of_coroutine",
        "on_loop",
        "record",
        "since",
        "thread",
        "until",
    )

    def __init__(self, record: Record, thread: VisitedThread, of_coroutine: bool) -> None:
        self.record = record
        self.thread = thread
        self.of_coroutine = of_coroutine
        self.on_loop = of_coroutine or _runs_loop()
        self.until = self.cpu_until = 0.0
        self.since = perf_counter()
        self.cpu_since = thread_time()


class VisitedThread:
    """A thread that requests have been in.

    Attributes:
        visits: How many are under way in it; more than one on an event loop.
        at: When the sampler last looked at it; `cpu`: its CPU clock then.
        sight: What was seen then. None: no visit.
    """

    def __init__(self) -> None:
        self.ident = threading.get_ident()
        self.native_id = threading.get_native_id()
        self.clock = pthread_getcpuclockid(self.ident)
        self.visits = 0
        self.at = 0.0
        self.cpu = 0.0
        self.sight: Sight | None = None


class InFlight:
    """All requests under way in this process.

    Attributes:
        wake: Called when a thread gets its first request: the sampler has something to look at.
        current: The record of the request that the caller is in.
        threads: The threads with requests, by their identifiers.
        left: The visits that have ended since the sampler last looked.
    """

    wake: Callable[[], None]

    def __init__(self) -> None:
        self.current: ContextVar[Record | None] = ContextVar("record", default=None)
        self.threads: dict[int, VisitedThread] = {}
        self.left: deque[Visit] = deque()
        self._local = threading.local()

    def begin(self, app: str, method: str) -> Record:
        """Return the record of a new request."""
        return Record(Target(app, method, "", ""))

    def match(self, rule: str, endpoint: str) -> None:
        """Take note of which route the caller's request is for."""
        record = self.current.get()
        if record is not None:
            record.target = record.target._replace(rule=rule, endpoint=endpoint)

    def enter(self, record: Record, *, of_coroutine: bool = False) -> Visit:
        """Begin a visit of the calling thread."""
        thread = getattr(self._local, "thread", None)
        if thread is None:
            thread = self._local.thread = VisitedThread()
        visit = Visit(record, thread, of_coroutine)
        thread.visits += 1
        if thread.visits == 1:
            self.threads[thread.ident] = thread
            self.wake()
        return visit

    def leave(self, visit: Visit, *, ends: bool = False) -> None:
        """End a visit; `ends`: and with it the request, save for the rest of its response."""
        record, thread = visit.record, visit.thread
        # The sampler takes these sums and zeroes them: no call may come between read and write.
        visit.until, visit.cpu_until = perf_counter(), thread_time()
        wall_s, cpu_s = visit.until - visit.since, visit.cpu_until - visit.cpu_since
        if not visit.of_coroutine:
            record.wall_s += wall_s
        if not visit.on_loop:
            record.cpu_s += cpu_s
        record.has_ended = record.has_ended or ends
        self.left.append(visit)
        thread.visits -= 1
        if not thread.visits:
            self.threads.pop(thread.ident, None)

    def forget(self) -> None:
        """Drop everything: after a fork, this is the child, and the parent goes on with it."""
        self.threads.clear()
        self.left.clear()
        self._local = threading.local()


def _runs_loop() -> bool:
    """Return whether the calling thread runs an event loop."""
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None
