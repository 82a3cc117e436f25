"""Worker threads and the pools that lend them out.

A worker thread does one thing: it runs *stretches*. A stretch starts or resumes a request
greenlet and ends when that greenlet waits or is finished; `threads` says what comes between two
stretches of one request.

All bookkeeping is done on the event loop, without locks. A thread touches only its queue of
stretches and the stretch that it runs.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Resume = Callable[[], Any]

# Threads where no configuration is at hand: lifespan hooks, background tasks, a plain loop. The
# default of the setting WORKER_THREADS, and anyio's default number of threads too.
DEFAULT_THREADS = 40

_log = logging.getLogger("flasync")


class Stretch:
    """One uninterrupted run in a worker thread, and the loop's way to wait for it.

    The thread may `post` something on the way (a finished response, which the loop sends while
    the thread still closes what is to be closed), and `end`s once. Each side first writes its own
    flag and then reads the other's, so that at least one of them sees that a wake-up is due.
    """

    __slots__ = ("_listening", "_loop", "_waiter", "ended", "error", "posted", "value")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._listening = True
        self.posted: Any = None
        self.ended = False
        self.value: Any = None
        self.error: BaseException | None = None

    def post(self, item: Any) -> None:
        """Hand `item` to the loop and go on. Runs in: the worker thread."""
        self._listening = False
        self.posted = item
        self._notify()

    def run(self, resume: Resume) -> None:
        """Run the stretch to its end. Runs in: the worker thread."""
        try:
            self.value = resume()
        except BaseException as error:
            self.error = error
        self.ended = True
        if self._listening:
            self._notify()

    async def wait_news(self) -> bool:
        """Wait until something is posted or the stretch has ended, whatever cancellations come.

        Returns:
            Whether a cancellation came meanwhile: a thread cannot be interrupted.
        """
        cancelled = False
        while self.posted is None and not self.ended:
            cancelled = await self._rest() or cancelled
        return cancelled

    async def wait_end(self) -> bool:
        """Wait until the stretch has ended, whatever cancellations come; see `wait_news`."""
        self._listening = True
        cancelled = False
        while not self.ended:
            cancelled = await self._rest() or cancelled
        return cancelled

    async def _rest(self) -> bool:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            return True
        return False

    def _notify(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            # The server closed the loop under a running view: nobody is left to be told.

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


# Those who wait for a worker, each with the number of its turn.
Line = deque[tuple[int, "asyncio.Future[WorkerThread]"]]


class WorkerThread:
    """A daemon thread that runs the stretches put into its queue, in order.

    Attributes:
        hosted: How many requests have their claim on it, at work or between two steps.
        waiters: The turns of those that wait for this very thread.
    """

    def __init__(self, number: int) -> None:
        self.hosted = 0
        self.waiters: Line = deque()
        self._stretches: SimpleQueue[tuple[Stretch, Resume] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"flasync-{number}", daemon=True)
        self._thread.start()

    def begin(self, stretch: Stretch, resume: Resume) -> None:
        """Run `resume` as `stretch` in this thread. Runs in: any thread."""
        self._stretches.put((stretch, resume))

    def stop(self) -> None:
        """End the thread, which must be at rest, and wait for it. Runs in: any other thread."""
        self._stretches.put(None)
        self._thread.join()

    def _run(self) -> None:
        take = self._stretches.get
        while (item := take()) is not None:
            stretch, resume = item
            stretch.run(resume)
            del item, stretch, resume  # or an idle thread would keep the last request alive


class WorkerPool:
    """The worker threads of one event loop.

    Args:
        size: How many threads there may be; they are started as they are needed.

    Attributes:
        users: How many apps are served with these threads.
    """

    def __init__(self, size: int = DEFAULT_THREADS) -> None:
        self.size = size
        self.users = 0
        self._workers: set[WorkerThread] = set()
        self._idle: deque[WorkerThread] = deque()
        self._queue: Line = deque()
        self._numbers = itertools.count(1)
        self._tickets = itertools.count()
        self._closed: asyncio.Event | None = None

    @property
    def is_free(self) -> bool:
        """Whether a request that comes now need not wait for a thread."""
        return bool(self._idle) or len(self._workers) < self.size

    async def acquire(self, worker: WorkerThread | None = None) -> WorkerThread:
        """Return a worker for exclusive use, `worker` itself where it is given; waits in line.

        Runs in: the event loop. Switches: when none is free.
        """
        if worker is None:
            free = self._pick()
            if free is not None:
                return free
        elif worker in self._idle:
            self._idle.remove(worker)
            return worker
        turn: asyncio.Future[WorkerThread] = asyncio.get_running_loop().create_future()
        line = self._queue if worker is None else worker.waiters
        line.append((next(self._tickets), turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(turn.result())
            raise

    def release(self, worker: WorkerThread) -> None:
        """Give a worker to whoever has waited for it the longest, or let it rest.

        Streams wait for their own worker, and new requests for any: they take turns by age, or
        streams that step again and again would keep a worker to themselves. In a closed pool a
        worker ends instead of resting, unless a stream will come back to it.
        """
        while worker.waiters or self._queue:
            lines = [line for line in (worker.waiters, self._queue) if line]
            _, turn = min(lines, key=lambda line: line[0][0]).popleft()
            if not turn.done():
                turn.set_result(worker)
                return
        self._idle.append(worker)
        if self._closed is not None:
            self._end_idle(self._closed)

    async def close(self, timeout_s: float | None) -> None:
        """End the threads at rest, and the others as they come to rest.

        Returns when all have ended, or after `timeout_s` seconds; None waits without limit.
        """
        self._closed = asyncio.Event()
        self._end_idle(self._closed)
        try:
            async with asyncio.timeout(timeout_s):
                await self._closed.wait()
        except TimeoutError:
            _log.warning(
                "%d worker threads were still at work %s s after shutdown began. A sync view does "
                "not return; its thread ends with the process.",
                len(self._workers),
                timeout_s,
            )

    def host(self, worker: WorkerThread) -> None:
        """Count a request that has its claim on `worker`."""
        worker.hosted += 1

    def unhost(self, worker: WorkerThread) -> None:
        """End what `host` began."""
        worker.hosted -= 1
        if self._closed is not None:
            self._end_idle(self._closed)

    def abandon(self) -> None:
        """End the threads at rest, without a loop: that of this pool is gone."""
        for worker in self._idle:
            worker.stop()
        self._idle.clear()

    def _end_idle(self, closed: asyncio.Event) -> None:
        for worker in [worker for worker in self._idle if not worker.hosted]:
            self._idle.remove(worker)
            self._workers.remove(worker)
            worker.stop()
        if not self._workers:
            closed.set()

    def _pick(self) -> WorkerThread | None:
        """Return a worker that hosts nobody, a new one, or one that hosts a resting stream."""
        idle = self._idle
        for place in range(len(idle) - 1, -1, -1):
            if not idle[place].hosted:
                worker = idle[place]
                del idle[place]
                return worker
        if len(self._workers) < self.size:
            worker = WorkerThread(next(self._numbers))
            self._workers.add(worker)
            return worker
        return idle.popleft() if idle else None


_Key = tuple[asyncio.AbstractEventLoop, int]
_pools: dict[_Key, WorkerPool] = {}


def get_pool(size: int = DEFAULT_THREADS) -> WorkerPool:
    """Return the running loop's pool of `size` threads: apps on one loop share their threads.

    Runs in: the event loop.
    """
    key = (asyncio.get_running_loop(), size)
    pool = _pools.get(key)
    if pool is None:
        for old in [old for old in _pools if old[0].is_closed()]:
            _pools.pop(old).abandon()
        pool = _pools[key] = WorkerPool(size)
    return pool


async def give_up_pool(pool: WorkerPool, timeout_s: float | None) -> None:
    """End an app's use of a pool; the last one to do so closes it."""
    pool.users -= 1
    if pool.users:
        return
    for key in [key for key, known in _pools.items() if known is pool]:
        del _pools[key]
    await pool.close(timeout_s)
