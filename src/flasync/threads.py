"""Worker threads: where sync views run, one request at a time in each.

A worker thread does one thing: it runs *stretches*. A stretch starts or resumes a request
greenlet and ends when that greenlet waits or is finished. What it waits for is awaited on the
loop, in the request's own task and Context, and the next stretch brings the outcome back. So the
whole request stays in one thread and one greenlet, and `await_` works in it.

A request holds its worker through a `Lease`. While a view waits, the lease is kept, and the
thread rests: code of another request can never run between two lines of a view, exactly as under
a threaded WSGI server. Between two steps of a streamed response the lease is dropped, and taken
again for the next step: a thousand open streams need a thousand greenlets and a few threads.

All bookkeeping is done on the event loop, without locks. A thread touches only its queue of
stretches and the stretch that it runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from greenlet import getcurrent

from flasync.bridge import ThreadGreenlet, carry
from flasync.errors import NoRequestError

T = TypeVar("T")

Resume = Callable[[], Any]

# Threads where no configuration is at hand: lifespan hooks, background tasks, a plain loop. The
# default of the setting WORKER_THREADS, and anyio's default number of threads too.
DEFAULT_THREADS = 40


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


class WorkerThread:
    """A daemon thread that runs the stretches put into its queue, in order."""

    def __init__(self, number: int) -> None:
        self.hosted = 0
        self.waiters: deque[asyncio.Future[WorkerThread]] = deque()
        self._stretches: SimpleQueue[tuple[Stretch, Resume] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"flasync-{number}", daemon=True)
        self._thread.start()

    def begin(self, stretch: Stretch, resume: Resume) -> None:
        """Run `resume` as `stretch` in this thread. Runs in: any thread."""
        self._stretches.put((stretch, resume))

    def stop(self) -> None:
        """End the thread after the stretches that are in its queue. Runs in: any thread."""
        self._stretches.put(None)

    def join(self, timeout_s: float | None) -> None:
        """Wait until the thread has ended. Runs in: any other thread."""
        self._thread.join(timeout_s)

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
    """

    def __init__(self, size: int = DEFAULT_THREADS) -> None:
        self.size = size
        self.queue: deque[asyncio.Future[WorkerThread]] = deque()
        self._workers: list[WorkerThread] = []
        self._idle: deque[WorkerThread] = deque()

    async def acquire(self, worker: WorkerThread | None = None) -> WorkerThread:
        """Return a worker for exclusive use, `worker` itself where it is given; waits in line.

        Runs in: the event loop. Switches: when none is free.
        """
        if worker is None:
            free = self._pick()
            if free is not None:
                return free
            line = self.queue
        else:
            if worker in self._idle:
                self._idle.remove(worker)
                return worker
            line = worker.waiters
        turn: asyncio.Future[WorkerThread] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(turn.result())
            raise

    def release(self, worker: WorkerThread) -> None:
        """Give a worker to whoever waits for it, else to the first in line, else to rest."""
        for line in (worker.waiters, self.queue):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(worker)
                    return
        if worker.hosted:
            self._idle.appendleft(worker)
        else:
            self._idle.append(worker)

    async def close(self, timeout_s: float | None) -> None:
        """End every thread, waiting at most `timeout_s` seconds for those that are at work."""
        workers, self._workers = self._workers, []
        self._idle.clear()
        for worker in workers:
            worker.stop()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        await asyncio.to_thread(_join_all, workers, deadline)

    def abandon(self) -> None:
        """Tell every thread to end and wait for none: the loop of this pool is gone."""
        for worker in self._workers:
            worker.stop()

    def _pick(self) -> WorkerThread | None:
        """Return a worker that hosts nobody, a new one, or one that hosts a resting stream."""
        idle = self._idle
        if idle and not idle[-1].hosted:
            return idle.pop()
        if len(self._workers) < self.size:
            worker = WorkerThread(len(self._workers) + 1)
            self._workers.append(worker)
            return worker
        return idle.popleft() if idle else None


def _join_all(workers: list[WorkerThread], deadline: float | None) -> None:
    """Wait for the threads of `workers` until `deadline` on the monotonic clock."""
    for worker in workers:
        worker.join(None if deadline is None else max(0.0, deadline - time.monotonic()))


class Lease:
    """A request's claim on a worker thread: the same thread, from the first use to the last.

    Several parts of one request may hold it at once (a view that awaits a coroutine that calls
    `run_sync`): the thread belongs to the request, and their stretches take turns.
    """

    __slots__ = ("_acquiring", "_held", "_holders", "closed", "parking", "pool", "worker")

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.worker: WorkerThread | None = None
        self.parking = True
        self.closed = False
        self._held = False
        self._holders = 0
        self._acquiring: asyncio.Future[None] | None = None

    async def hold(self) -> WorkerThread:
        """Return the worker, for exclusive use by this request until `drop`."""
        self._holders += 1
        try:
            while not self._held:
                if self._acquiring is None:
                    await self._acquire()
                else:
                    await asyncio.shield(self._acquiring)
        except BaseException:
            self.drop()
            raise
        assert self.worker is not None  # noqa: S101  held
        return self.worker

    async def hold_whatever_comes(self) -> bool:
        """Hold the worker even through cancellations; return whether one came."""
        cancelled = False
        while True:
            try:
                await self.hold()
            except asyncio.CancelledError:
                cancelled = True
            else:
                return cancelled

    def drop(self) -> None:
        """End one `hold`; the last one gives the worker back."""
        self._holders -= 1
        if not self._holders and self._held and self.worker is not None:
            self._held = False
            self.pool.release(self.worker)

    def close(self) -> None:
        """End the claim, when the request is over."""
        self.closed = True
        if self.worker is not None:
            self.worker.hosted -= 1

    async def _acquire(self) -> None:
        first = self.worker is None
        self._acquiring = asyncio.get_running_loop().create_future()
        try:
            self.worker = await self.pool.acquire(self.worker)
            self._held = True
            if first:
                self.worker.hosted += 1
        finally:
            self._acquiring.set_result(None)
            self._acquiring = None


class ThreadRun:
    """A function that runs in a leased worker thread, in a greenlet of its own.

    Args:
        lease: Where it runs.
        function: Sync code; it may use `await_`.
        deliver: Awaited, on the loop, with what the function `post`s.
        on_wait: Called on the loop whenever the function begins to wait, until it returns True.
    """

    __slots__ = (
        "_cancelled",
        "_deliver",
        "_ended",
        "_error",
        "_function",
        "_lease",
        "_on_wait",
        "_stretch",
    )

    def __init__(
        self,
        lease: Lease,
        function: Callable[[], Any],
        deliver: Callable[[Any], Awaitable[None]] | None = None,
        on_wait: Callable[[], bool] | None = None,
    ) -> None:
        self._lease = lease
        self._function = function
        self._deliver = deliver
        self._on_wait = on_wait
        self._stretch: Stretch | None = None
        self._cancelled = False
        self._ended = False
        self._error: BaseException | None = None

    def post(self, item: Any) -> None:
        """Hand the function's last item to the loop without waiting. Runs in: its thread."""
        assert self._stretch is not None  # noqa: S101  only the running function calls this
        self._stretch.post(item)

    async def drive(self) -> Any:
        """Run the function to its end and return its result, in the task's own Context.

        A cancellation is raised in the function where it waits for an awaitable, unless it is
        `shielded` there; a thread at work is not interrupted. So when this returns or raises,
        the function has ended.

        Runs in: the event loop. Switches: always.
        """
        context = getcurrent().gr_context
        await self._lease.hold()
        try:
            resume: Resume = partial(self._start, context)
            while True:
                greenlet, value = await self._run_stretch(resume)
                if self._ended:
                    return self._finish(value)
                resume = await self._await(value, greenlet, context)
        finally:
            self._lease.drop()

    def _start(self, context: contextvars.Context | None) -> tuple[ThreadGreenlet, Any]:
        """Start the function in a greenlet. Runs in: the worker thread."""
        greenlet = ThreadGreenlet.borrow()
        greenlet.gr_context = context
        return self._advance(greenlet, greenlet.switch, self._function)

    def _advance(
        self, greenlet: ThreadGreenlet, switch: Callable[[Any], Any], value: Any
    ) -> tuple[ThreadGreenlet, Any]:
        """Switch to the greenlet, and note how its function ended, if it did.

        Only here: a moment later the greenlet may carry another function of the same request.
        """
        value = switch(value)
        if not greenlet.busy:
            greenlet.gr_context = None
            self._error = greenlet.take_failure()
            self._ended = True
        return greenlet, value

    async def _run_stretch(self, resume: Resume) -> tuple[ThreadGreenlet, Any]:
        """Run one stretch to its end, delivering what it posts; return what it handed up."""
        worker = self._lease.worker
        assert worker is not None  # noqa: S101  the lease is held
        stretch = self._stretch = Stretch(asyncio.get_running_loop())
        worker.begin(stretch, resume)
        self._cancelled = await stretch.wait_news() or self._cancelled
        if stretch.posted is not None:
            try:
                if self._deliver is not None:
                    await self._deliver(stretch.posted)
            finally:
                self._cancelled = await stretch.wait_end() or self._cancelled
        if stretch.error is not None:
            raise stretch.error
        return stretch.value  # type: ignore[no-any-return]  # what _advance returned

    def _finish(self, value: Any) -> Any:
        """Return the function's result, or raise what ended it."""
        if self._error is not None:
            raise self._error
        if self._cancelled:
            raise asyncio.CancelledError
        return value

    async def _await(
        self, awaitable: Any, greenlet: ThreadGreenlet, context: contextvars.Context | None
    ) -> Resume:
        """Await what the function waits for; return the stretch that brings it the outcome."""
        if self._on_wait is not None and self._on_wait():
            self._on_wait = None
        parking = self._lease.parking
        if not parking:
            self._lease.drop()
        try:
            if greenlet.shielded:
                result = await self._outwait(awaitable, context)
            elif self._cancelled:
                self._cancelled = False
                if hasattr(awaitable, "close"):
                    awaitable.close()
                raise asyncio.CancelledError
            else:
                result = await carry(awaitable)
        except BaseException as error:
            resume: Resume = partial(self._advance, greenlet, greenlet.throw, error)
        else:
            resume = partial(self._advance, greenlet, greenlet.switch, result)
        if not parking:
            self._cancelled = await self._lease.hold_whatever_comes() or self._cancelled
        return resume

    async def _outwait(self, awaitable: Any, context: contextvars.Context | None) -> Any:
        """Await `awaitable` to its end, noting cancellations for later."""
        task = asyncio.get_running_loop().create_task(carry(awaitable), context=context)
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                self._cancelled = True
        return task.result()


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


def forget_pool(pool: WorkerPool) -> None:
    """Let the next `get_pool` make a new pool instead of `pool`."""
    for key in [key for key, known in _pools.items() if known is pool]:
        del _pools[key]


# The lease of the request that this code belongs to.
current_lease: contextvars.ContextVar[Lease] = contextvars.ContextVar("flasync.lease")


async def run_sync(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Run a blocking function in this request's worker thread and return its result.

    Within one request it is always the same thread, so what is bound to a thread (an SQLite
    connection, a `threading.local`) can be used from call to call. The function runs in the
    caller's Context: `request`, `g`, `session` and `await_` work in it. When the caller is
    cancelled, the function still runs to its end, and the cancellation is raised after it.

    Outside a request (a lifespan hook, a background task) any free worker thread serves.

    Raises:
        NoRequestError: No event loop runs here: call the function directly.
        BaseException: Whatever `function` raises.

    Runs in: the event loop. Switches: always.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise NoRequestError(
            f"run_sync({function!r}) was started where no event loop runs, so there is nothing to "
            "keep free. Call the function directly."
        ) from None
    call = partial(function, *args, **kwargs)
    lease = current_lease.get(None)
    if lease is not None and not lease.closed:
        return await ThreadRun(lease, call).drive()  # type: ignore[no-any-return]  # of the call
    lease = Lease(get_pool())
    try:
        return await ThreadRun(lease, call).drive()  # type: ignore[no-any-return]  # of the call
    finally:
        lease.close()
