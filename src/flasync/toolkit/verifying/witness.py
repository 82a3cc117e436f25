"""What runs inside a served process: it tells where the time of each request went.

Every response gets a header `Server-Timing`. Requests that carry a header `X-Flasync-Request` are
written to the evidence file as well, with the marks of their whole life; see `evidence_rows`.

The request's own code only takes down what happens, with the time. Marks are made of it when the
header is built, and in the sampler's thread when the request is over.
"""

from __future__ import annotations

import atexit
import math
import os
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from time import perf_counter, thread_time
from typing import Any

from flask import Flask
from greenlet import greenlet

from flasync.bridge import BridgeGreenlet, Monitor, set_monitor, walk_frames
from flasync.instruments import Watcher
from flasync.toolkit.verifying.bystander import add_bystander
from flasync.toolkit.verifying.evidence_file import EvidenceFile
from flasync.toolkit.verifying.evidence_rows import (
    IDENTITY_HEADER,
    VARIABLE,
    build_app_row,
    build_request_row,
)
from flasync.toolkit.verifying.marks import Timeline
from flasync.toolkit.verifying.run import Phase
from flasync.toolkit.verifying.server_timing import NAME, build_server_timing
from flasync.toolkit.verifying.sights import NOWHERE, Sight, Sights
from flasync.toolkit.verifying.stretch_sampler import StretchSampler
from flasync.toolkit.verifying.stretches import Stretch, WatchedThread

_IDENTITY_KEY = "HTTP_" + IDENTITY_HEADER.upper().replace("-", "_")
_HEADER_NAME = NAME.lower().encode()

# What is taken down of a request before marks are made of it.
_MOST_EVENTS = 256


def watch(app: Flask) -> Watcher:
    """Return the watcher of this process, for `FLASYNC_WATCHER`; the app gets a bystander.

    Nobody else watches the loop: a call that keeps the interpreter lock is seen by the first
    thread that gets the lock after it, and only one that waits is sure to be that.

    Runs in: the event loop, before the loop's stalls are watched.
    """
    add_bystander(app)
    set_monitor(Monitor(math.inf))
    return Witness(app, os.environ.get(VARIABLE))


class _Record:
    """A request.

    Attributes:
        events: Calls to be made of `timeline`. Any thread appends, the loop's thread takes them
            away, so that neither waits for the other; after the end, the sampler's.
        is_over: Whether its marks are as they will be.
        sends: How many deliveries to the server are under way.
    """

    __slots__ = ("events", "identity", "is_over", "lane", "sends", "timeline")

    def __init__(self, identity: str | None, lane: str) -> None:
        self.identity = identity
        self.lane = lane
        self.timeline = Timeline()
        self.events: list[Callable[[], None]] = []
        self.is_over = False
        self.sends = 0

    def note(self, step: Callable[..., None], *arguments: Any) -> None:
        """Take down a call of a method of `Timeline`."""
        self.events.append(partial(step, self.timeline, *arguments))

    def take_in(self) -> None:
        """Make marks of what was taken down."""
        count = len(self.events)
        events = self.events[:count]
        del self.events[:count]
        for event in events:
            event()

    def build_row(self) -> str:
        """Return the line of the evidence. Runs in: the sampler's thread, after the end."""
        self.take_in()
        return build_request_row(self.identity or "", self.lane, self.timeline.marks)


class Witness(Watcher):
    """Takes down what happens to requests.

    Args:
        app: The app that is served.
        path: The evidence file; None: there is none.
    """

    def __init__(self, app: Flask, path: str | None) -> None:
        self._current: ContextVar[_Record] = ContextVar("flasync.witness")
        self._local = threading.local()
        self._sights = Sights(os.path.realpath(os.getcwd()))
        self._file = None if path is None else EvidenceFile(path)
        if self._file is not None:
            self._file.put(partial(str, build_app_row(app)))
            self._file.write_some()
            atexit.register(self._file.write_all)
        self._sampler = StretchSampler(self._sights, self._write)

    def receive(self, environ: Mapping[str, Any], lane: str) -> None:
        """Begin the record of a request."""
        self._current.set(_Record(environ.get(_IDENTITY_KEY), lane))

    def queue(self, threads: int) -> None:
        """Take down the time."""
        record = self._find_record()
        if record is not None:
            record.note(Timeline.queue, perf_counter())

    def run(self, greenlet: greenlet, lane: str) -> None:
        """Begin a stretch; the one inside of which it begins is interrupted."""
        context = greenlet.gr_context
        record = context.get(self._current) if context is not None else None
        if record is None or record.is_over:
            return
        thread = self._get_thread()
        if thread.under_way:
            self._finish(*thread.under_way[-1], None)
        phase = Phase.LOOP if lane == "loop" else Phase.THREAD
        thread.under_way.append(self._begin(record, id(greenlet), id(context), phase))
        self._sampler.wake()
        if phase is Phase.LOOP and len(record.events) > _MOST_EVENTS:
            record.take_in()

    def pause(self, greenlet: greenlet, awaited: object) -> None:
        """End a stretch; the one inside of which it began goes on."""
        under_way = self._get_thread().under_way
        if not under_way or under_way[-1][0].greenlet != id(greenlet):
            return
        stretch, record = under_way.pop()
        sight = None
        if isinstance(greenlet, BridgeGreenlet) and greenlet.busy:
            # A wait for the server to take a response has no place of the project's.
            sight = NOWHERE if record.sends else self._sights.see(walk_frames(greenlet))
        self._finish(stretch, record, sight)
        if under_way:
            outer, record = under_way[-1]
            under_way[-1] = self._begin(record, outer.greenlet, outer.context, outer.phase)

    def send(self, messages: list[Any]) -> None:
        """Take down the time, and add the header to a response that starts."""
        record = self._find_record()
        if record is None:
            return
        now = perf_counter()
        record.sends += 1
        record.note(Timeline.send, now)
        if messages and messages[0]["type"] == "http.response.start":
            record.take_in()
            _add_header(messages[0], record.timeline.add_up(now))

    def sent(self) -> None:
        """Take down the time."""
        record = self._find_record()
        if record is not None:
            record.sends -= 1
            record.note(Timeline.sent, perf_counter())

    def end(self) -> None:
        """Have the record written, if the client wants it."""
        record = self._find_record()
        if record is None:
            return
        record.note(Timeline.end, perf_counter())
        record.is_over = True
        if self._file is not None and record.identity is not None:
            self._file.put(record.build_row)
            self._sampler.wake()

    def _write(self) -> bool:
        return self._file is not None and self._file.write_some()

    def _find_record(self) -> _Record | None:
        """Return the record of the request that the caller is in, unless it is over."""
        record = self._current.get(None)
        return None if record is None or record.is_over else record

    def _get_thread(self) -> WatchedThread:
        """Return what is known of the calling thread."""
        thread: WatchedThread | None = getattr(self._local, "thread", None)
        if thread is None:
            thread = self._local.thread = WatchedThread()
            self._sampler.adopt(thread)
        return thread

    def _begin(
        self, record: _Record, greenlet: int, context: int, phase: Phase
    ) -> tuple[Stretch, _Record]:
        stretch = Stretch(greenlet, context, phase, perf_counter(), thread_time())
        record.note(Timeline.begin, stretch)
        return stretch, record

    def _finish(self, stretch: Stretch, record: _Record, sight: Sight | None) -> None:
        """Take down that a stretch has ended, and where its greenlet waits, if it does."""
        stretch.end = perf_counter()
        stretch.cpu_end = thread_time()
        if not record.is_over:
            record.note(Timeline.finish, stretch, sight)


def _add_header(message: dict[str, Any], totals: Mapping[Phase, float]) -> None:
    """Add to an ASGI message that starts a response what it was in; the app's own is kept."""
    own = [value for name, value in message["headers"] if name == _HEADER_NAME]
    value = build_server_timing(totals, b", ".join(own).decode("latin-1"))
    headers = [pair for pair in message["headers"] if pair[0] != _HEADER_NAME]
    message["headers"] = [*headers, (_HEADER_NAME, value.encode("latin-1"))]
