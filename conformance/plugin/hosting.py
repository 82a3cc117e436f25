"""Worker threads that are the test's own thread.

Under a threaded server a sync view never runs in the thread that made the request, and some
suites count on it: they keep an SQLite database in memory, which belongs to one connection, which
belongs to one thread. For them the test's thread, which waits for the response anyway, is lent to
the request as its worker. Everything else is as in any other run.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Any

import greenlet

import flasync.workers
from flasync import portal
from flasync.workers import Stretch, WorkerThread

Job = tuple[Stretch, Callable[[], Any]]
_hosts: dict[asyncio.Task[Any], SimpleQueue[Job | None]] = {}
"""The queue of the test's thread that waits for a request, by the request's task."""


class LentThread(WorkerThread):
    """A worker whose stretches run in the test's thread; a thread of its own without a test."""

    def __init__(self, number: int) -> None:
        self._number, self._own = number, None
        self.hosted = 0
        self.waiters = deque()

    _own: WorkerThread | None

    def begin(self, stretch: Stretch, resume: Callable[[], Any]) -> None:
        """Run the stretch in the thread that waits for the current request."""
        task = asyncio.current_task()
        if task in _hosts:
            _hosts[task].put((stretch, resume))
            return
        if self._own is None:  # A hook of startup or shutdown.
            self._own = WorkerThread(self._number)
        self._own.begin(stretch, resume)

    def stop(self) -> None:
        """End the thread, if this has one."""
        if self._own is not None:
            self._own.stop()


def install_lent_threads() -> None:
    """Let flasync's pools take the tests' threads for their workers."""
    flasync.workers.WorkerThread = LentThread


class Host:
    """The waiting thread of one request."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Run the stretches of a request's task from now on. Runs in: the event loop."""
        _hosts[task] = self._jobs
        task.add_done_callback(_hosts.pop)

    def wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Wait as `flasync.await_` does, and work meanwhile.

        The loop uses this thread's Context while this thread does not: it waits for the next
        stretch, or runs one, for which the loop waits.
        """
        contextvars.copy_context()  # A thread has no Context object before the first use of one.
        context = greenlet.getcurrent().gr_context
        loop = portal.get_loop()

        def start() -> None:
            task = loop.create_task(coroutine, context=context)
            task.add_done_callback(lambda _: self._jobs.put(None))
            done.append(task)

        done: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(start)
        while (job := self._jobs.get()) is not None:
            stretch, resume = job
            stretch.run(resume)
        done[0].result()
