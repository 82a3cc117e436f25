"""The thread lane: how a request runs in a worker thread, and waits there.

A request greenlet runs in the thread in stretches. What it waits for is awaited on the loop, in
the request's own task and Context, and the next stretch brings the outcome back. So the whole
request stays in one thread and one greenlet, and `await_` works in it.

A request holds its worker through a `Lease`. While a view waits, the lease is kept, and the
thread rests: code of another request can never run between two lines of a view, exactly as under
a threaded WSGI server. Between two steps of a streamed response the lease is dropped, and taken
again for the next step: a thousand open streams need a thousand greenlets and a few threads.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from greenlet import getcurrent

from flasync import instruments
from flasync.bridge import ThreadGreenlet, await_, carry
from flasync.errors import NoRequestError
from flasync.outcome import interrupt, outwait
from flasync.workers import Resume, Stretch, WorkerPool, WorkerThread, get_pool

T = TypeVar("T")


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
            self.pool.unhost(self.worker)

    async def _acquire(self) -> None:
        first = self.worker is None
        self._acquiring = asyncio.get_running_loop().create_future()
        if instruments.watcher is not None:
            instruments.watcher.queue(self.pool.size)
        try:
            self.worker = await self.pool.acquire(self.worker)
            self._held = True
            if first:
                self.pool.host(self.worker)
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
        "_deliver",
        "_ended",
        "_failure",
        "_function",
        "_lease",
        "_on_wait",
        "_pending",
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
        # What the function must be told at its next wait: a cancellation, a failed delivery.
        self._pending: BaseException | None = None
        self._ended = False
        self._failure: BaseException | None = None

    def post(self, item: Any) -> None:
        """Hand the function's last item to the loop without waiting. Runs in: its thread."""
        assert self._stretch is not None  # noqa: S101  only the running function calls this
        self._stretch.post(item)

    async def drive(self) -> Any:
        """Run the function to its end and return its result, in the task's own Context.

        A cancellation is raised in the function where it waits for an awaitable, unless it is
        shielded there; a thread at work is not interrupted. So when this returns or raises, the
        function has ended. While it waits in line for a thread, it has not begun.

        Runs in: the event loop. Switches: always.
        """
        context = getcurrent().gr_context
        if not self._lease.pool.is_free:
            self._tell_wait()
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
        watcher = instruments.watcher
        if watcher is not None:
            watcher.run(greenlet, "thread")
        value = switch(value)
        if watcher is not None:
            watcher.pause(greenlet, value)
        if not greenlet.busy:
            value, self._failure = greenlet.take_end()
            self._ended = True
        return greenlet, value

    async def _run_stretch(self, resume: Resume) -> tuple[ThreadGreenlet, Any]:
        """Run one stretch to its end, delivering what it posts; return what it handed up."""
        worker = self._lease.worker
        assert worker is not None  # noqa: S101  the lease is held
        stretch = self._stretch = Stretch(asyncio.get_running_loop())
        worker.begin(stretch, resume)
        self._note_cancelled(await stretch.wait_news())
        if stretch.posted is not None:
            try:
                if self._deliver is not None:
                    await self._deliver(stretch.posted)
            except BaseException as error:
                self._pending = error
            self._note_cancelled(await stretch.wait_end())
        if stretch.error is not None:
            raise stretch.error
        return stretch.value  # type: ignore[no-any-return]  # what _advance returned

    def _note_cancelled(self, cancelled: bool) -> None:
        if cancelled and self._pending is None:
            self._pending = asyncio.CancelledError()

    def _tell_wait(self) -> None:
        if self._on_wait is not None and self._on_wait():
            self._on_wait = None

    def _finish(self, value: Any) -> Any:
        """Return the function's result, or raise what ended it."""
        error = self._failure or self._pending
        if error is not None:
            raise error
        return value

    async def _await(
        self, awaitable: Any, greenlet: ThreadGreenlet, context: contextvars.Context | None
    ) -> Resume:
        """Await what the function waits for; return the stretch that brings it the outcome."""
        self._tell_wait()
        parking = self._lease.parking
        if not parking:
            self._lease.drop()
        try:
            if greenlet.shielded:
                outcome, cancelled = await outwait(carry(awaitable), context)
                self._note_cancelled(cancelled)
                result = outcome.unwrap()
            elif self._pending is not None:
                pending, self._pending = self._pending, None
                result, raised = await interrupt(carry(awaitable), pending)
                if not raised:
                    self._pending = pending
            else:
                result = await carry(awaitable)
        except BaseException as error:
            resume: Resume = partial(self._advance, greenlet, greenlet.throw, error)
        else:
            resume = partial(self._advance, greenlet, greenlet.switch, result)
        if not parking:
            self._note_cancelled(await self._lease.hold_whatever_comes())
        return resume


# The lease of the request that this code belongs to.
current_lease: contextvars.ContextVar[Lease] = contextvars.ContextVar("flasync.lease")


async def run_sync(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Run a blocking function in this request's worker thread and return its result.

    Within one request it is always the same thread, so what is bound to a thread (an SQLite
    connection, a `threading.local`) can be used from call to call. The function runs in the
    caller's Context: `request`, `g`, `session` and `await_` work in it. When the caller is
    cancelled, the function still runs to its end, and the cancellation is raised after it.

    Outside a request (a background task) any free worker thread serves.

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
    lease = Lease(get_pool() if lease is None else lease.pool)
    try:
        return await ThreadRun(lease, call).drive()  # type: ignore[no-any-return]  # of the call
    finally:
        lease.close()


def call_in_thread(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call a blocking function where it holds up nobody else, and return its result.

    For sync code that runs in both lanes: helpers, hooks, models. On the event loop the function
    runs in this request's worker thread, as with `await run_sync(…)`; in a thread, a command or a
    test it is simply called.

    Raises:
        AwaitOnLoopError: The caller runs on the event loop itself, in no request.
        BaseException: Whatever `function` raises.

    Runs in: any thread. Switches: always on the event loop; never elsewhere.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function(*args, **kwargs)
    return await_(run_sync(function, *args, **kwargs))
