"""The bridge: sync code that waits without holding the event loop.

This is the only module that switches greenlets. Three greenlets and one task take part:

* The *driver* is a coroutine that runs in the asyncio task of a request. It starts a *request
  greenlet*, whose parent is the greenlet in which the driver itself runs.
* Sync code runs in the request greenlet. When it calls `await_(x)`, the request greenlet steps
  `x` itself, so that the body of `x` runs there too. Only what `x` *yields*, a future that is not
  done, is switched up to the driver, which yields it on to the task. The loop now serves others.
* When the future is done, the task resumes the driver, the driver switches back down, and `x`
  goes on inside the request greenlet until it yields again or returns.

In a worker thread there is no loop to yield to. There the request greenlet switches the whole
awaitable up to the thread's main greenlet (see `threads`), which has it awaited on the loop.

The context is the same object all along. A greenlet saves `tstate->context` when it is left and
restores it when it is entered, and never marks it as *entered*; so while a greenlet is switched
away, `Context.run` of the same object is legal in another greenlet or thread. That is why a
request greenlet gets the driver's own Context and not a copy.

Cancellation crosses the bridge in both directions as the `BaseException` that it is. The one
place that it must not reach is teardown: `shielded` makes the driver hold back a cancellation
until the shielded stretch has ended, and deliver it at the next wait after that.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future as ThreadFuture
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from types import AsyncGeneratorType, CoroutineType, FrameType
from typing import Any, Self, TypeVar
from weakref import WeakSet

from greenlet import getcurrent, greenlet

from flasync import instruments, portal
from flasync.errors import AwaitOnLoopError
from flasync.outcome import Outcome, capture, discard, interrupt, spawn

T = TypeVar("T")

# What stands between a coroutine and the async generator or coroutine that it awaits: what makes
# `anext()`, with and without a default, `aclose()`, and a coroutine's `__await__`.
_WRAPPERS = {
    "anext_awaitable",
    "async_generator_asend",
    "async_generator_athrow",
    "coroutine_wrapper",
}
_MOST_WRAPPERS = 4

# Finished request greenlets that a thread keeps for the next request. A fresh greenlet costs ten
# times a switch; more than this many are at once at rest only after a burst, whose memory we free.
_IDLE_GREENLETS = 128


class BridgeGreenlet(greenlet):
    """A greenlet whose code may wait: what the two lanes have in common."""

    # SQLAlchemy's asyncio dialects wait by `getcurrent().parent.switch(awaitable)` in a greenlet
    # that carries this mark (sqlalchemy.util.concurrency.await_).
    __sqlalchemy_greenlet_provider__ = True

    busy: bool = False
    function: Callable[[], Any] | None = None
    shielded: int = 0
    task: asyncio.Task[Any] | None = None
    parent: greenlet

    _result: Any = None
    _failure: BaseException | None = None

    def run(self, function: Callable[[], Any]) -> None:
        """Run `function`, then rest until the next one; no longer `busy`, it has a `take_end`.

        The end is not the value of the last switch: that would stay on the resting greenlet's
        stack, and keep the result of the last request alive.
        """
        while True:
            self.busy = True
            self.function = function
            try:
                self._result = function()
            except BaseException as error:
                self._failure = error
            self.busy = False
            idle = self._resting()
            if len(idle) >= _IDLE_GREENLETS:
                return
            idle.append(self)
            self.function = None
            del function
            function = self.parent.switch()

    @classmethod
    def borrow(cls) -> Self:
        """Return a greenlet of this thread that is at rest, or a new one."""
        idle = cls._resting()
        if idle:
            return idle.pop()
        made = cls()
        _known.add(made)
        return made

    @classmethod
    def _resting(cls) -> list[Self]:
        """Return the greenlets of this class that rest in this thread."""
        return _local.greenlets.setdefault(cls, [])  # type: ignore[return-value]  # keyed by class

    def take_end(self) -> tuple[Any, BaseException | None]:
        """Return the last function's result and the exception that ended it, and forget them."""
        end = self._result, self._failure
        self._result = self._failure = self.gr_context = self.task = None
        self.shielded = 0
        return end


class RequestGreenlet(BridgeGreenlet):
    """A request greenlet on the event loop: it hands up the futures that it must wait for."""


class ThreadGreenlet(BridgeGreenlet):
    """A request greenlet in a worker thread: it hands up whole awaitables."""


class Monitor:
    """Whoever wants to know for how long each request has the loop to itself.

    Args:
        threshold_s: Seconds after which a stretch between two switches is reported.

    Attributes:
        function: What was given to `drive`, while a stretch of it runs; else None.
        since: When that stretch began, on the clock of `time.perf_counter`.
    """

    def __init__(self, threshold_s: float) -> None:
        self.threshold_s = threshold_s
        self.function: Any = None
        self.since = 0.0

    def report_end(self, function: Any, held_s: float) -> None:
        """Take note of a stretch that was longer than the threshold. Runs in: the loop."""
        raise NotImplementedError


def list_suspended() -> list[tuple[str, list[FrameType]]]:
    """Return the requests on the loop that are switched away: what runs, and its frames.

    The frames are those of the greenlet, innermost first, and of the coroutines that it steps.

    Runs in: any thread; a loop that moves on meanwhile makes the list old.
    """
    return [
        (describe(request.function), list(walk_frames(request)))
        for request in list(_known)
        if type(request) is RequestGreenlet and request.busy
    ]


def walk_frames(suspended: greenlet) -> Iterator[FrameType]:
    """Yield the frames of a greenlet that is switched away, innermost first.

    Those of the coroutines that it steps are among them, where an `await` would show them.

    Runs in: the thread of the greenlet; in another, the frames may be those of later.
    """
    frame = suspended.gr_frame
    if frame is not None and frame.f_code is _step.__code__:
        yield from reversed(list(_walk_awaits(frame.f_locals.get("steps"))))
    while frame is not None:
        yield frame
        frame = frame.f_back


def _walk_awaits(steps: Any) -> Iterator[FrameType]:
    """Yield the frames of a suspended coroutine and of those that it awaits, outermost first."""
    while steps is not None:
        if isinstance(steps, CoroutineType):
            frame, awaited = steps.cr_frame, steps.cr_await
        else:
            frame, awaited = steps.ag_frame, steps.ag_await
        if frame is None:
            return
        yield frame
        steps = _find_suspended(awaited)


def _find_suspended(awaited: Any) -> Any:
    """Return the coroutine or async generator that an awaited object steps; None if it is none.

    The awaitable of `anext()` does not tell whose it is, except to the garbage collector.
    """
    for _ in range(_MOST_WRAPPERS):
        if awaited is None or isinstance(awaited, CoroutineType | AsyncGeneratorType):
            return awaited
        if type(awaited).__name__ not in _WRAPPERS:
            return None
        awaited = next(iter(gc.get_referents(awaited)), None)
    return None


def describe(function: Any) -> str:
    """Return what was given to `drive` as a name for the log: the request, if it is one's."""
    return str(getattr(function, "__self__", None) or "A task of the app")


class _Local(threading.local):
    """What belongs to a thread: its resting greenlets, which cannot leave it, and its monitor."""

    def __init__(self) -> None:
        self.monitor: Monitor | None = None
        self.greenlets: dict[type[BridgeGreenlet], list[BridgeGreenlet]] = {}


_local = _Local()
_known: WeakSet[BridgeGreenlet] = WeakSet()


def set_monitor(monitor: Monitor | None) -> None:
    """Have `monitor` told of the stretches that requests run in this thread's loop."""
    _local.monitor = monitor


def get_monitor() -> Monitor | None:
    """Return this thread's monitor."""
    return _local.monitor


def await_(awaitable: Awaitable[T]) -> T:
    """Wait for `awaitable` in sync code and return its result.

    Works in a request of either lane, in a CLI command, a test, a background thread and under a
    WSGI server. The awaitable runs on the process's one event loop, in the caller's Context.

    Args:
        awaitable: A coroutine, future, task, or any object with `__await__`.

    Returns:
        What the awaitable returns.

    Raises:
        AwaitOnLoopError: The caller runs on the event loop itself, in no request greenlet (a
            loop callback): to wait there would stop the loop. The awaitable is closed.
        BaseException: Whatever the awaitable raises, `asyncio.CancelledError` included.

    Runs in: a request greenlet or any thread without a running loop.
    Switches: in a request greenlet, exactly when the awaitable has to wait; elsewhere the
        calling thread blocks.
    """
    current = getcurrent()
    if type(current) is RequestGreenlet:
        if asyncio.current_task() is not current.task:  # an eager task begins in its creator's
            raise _refuse(awaitable)
        return _step(awaitable, current)
    if getattr(current, "__sqlalchemy_greenlet_provider__", False):
        return current.parent.switch(awaitable)  # type: ignore[no-any-return, union-attr]  # a switch is untyped
    return _await_in_thread(awaitable)


async def carry(awaitable: Awaitable[T]) -> T:
    """Await `awaitable` so that sync code below it can wait as well.

    Runs in: the event loop. Switches: whenever the awaitable waits.
    """
    return await drive(partial(await_, awaitable))


@types.coroutine
def drive(  # noqa: PLR0912, PLR0915  one loop, whose branches are the things that can be waited for
    function: Callable[[], T], on_wait: Callable[[], bool] | None = None
) -> Generator[Any, Any, T]:
    """Run sync `function` in a request greenlet, as an awaitable, in the task's own Context.

    Cancelling the task raises `CancelledError` inside `function` at the place where it waits.
    While `function` is `shielded`, a cancellation is held back: it is raised at the first wait
    after the shield, or out of `drive` when there is none.

    Args:
        function: Sync code; it may use `await_`.
        on_wait: Called on the loop whenever `function` begins to wait, until it returns True.

    Returns:
        What `function` returns.

    Raises:
        BaseException: Whatever `function` raises.

    Runs in: the event loop. Switches: whenever `function` waits.
    """
    driver = getcurrent()
    context = driver.gr_context
    request = RequestGreenlet.borrow()
    request.gr_context = context
    request.task = asyncio.current_task()
    monitor = _local.monitor
    watcher = instruments.watcher
    held_back = False
    resume: Callable[[Any], Any] = request.switch
    sent: Any = function
    while True:
        if request.parent is not driver:
            request.parent = driver
        if monitor is not None:
            monitor.since = perf_counter()
            monitor.function = function
        if watcher is not None:
            watcher.run(request, "loop")
        value = resume(sent)
        if watcher is not None:
            watcher.pause(request, value)
        if monitor is not None:
            monitor.function = None
            held_s = perf_counter() - monitor.since
            if held_s > monitor.threshold_s:
                monitor.report_end(function, held_s)
        if not request.busy:
            break
        if on_wait is not None and on_wait():
            on_wait = None
        resume = request.switch
        try:
            if request.shielded:
                sent, cancelled = yield from _outwait(value, context)
                held_back = held_back or cancelled
            elif held_back:
                held_back = False
                if type(value) is CoroutineType:
                    error = asyncio.CancelledError()
                    sent, raised = yield from interrupt(value, error)
                    held_back = not raised
                else:
                    discard(value)
                    raise asyncio.CancelledError
            elif value is None or getattr(value, "_asyncio_future_blocking", False):
                sent = yield value
            else:
                sent = yield from _await(value)
        except GeneratorExit as error:
            _abandon(request, error)
            raise
        except BaseException as error:
            resume, sent = request.throw, error
        # An eager task starts in its creator's greenlet and goes on elsewhere.
        driver = getcurrent()
    result, failure = request.take_end()
    if failure is not None:
        raise failure
    if held_back:
        raise asyncio.CancelledError
    return result  # type: ignore[no-any-return]  # of the function


def shield() -> None:
    """Hold cancellation back from the waits up to `unshield`, in whichever lane this runs.

    Outside a request greenlet nobody cancels, and this does nothing.
    """
    current = getcurrent()
    if isinstance(current, BridgeGreenlet):
        current.shielded += 1


def unshield() -> None:
    """End what `shield` began, in the same greenlet."""
    current = getcurrent()
    if isinstance(current, BridgeGreenlet):
        current.shielded -= 1


@contextmanager
def shielded() -> Generator[None]:
    """Hold cancellation back from the waits of a block; see `shield`."""
    shield()
    try:
        yield
    finally:
        unshield()


def _step(awaitable: Awaitable[T], current: RequestGreenlet) -> T:
    """Advance `awaitable` in the current greenlet; hand only its futures up to the driver.

    An awaitable that is not a coroutine is wrapped in one: some servers' awaitables are plain
    iterators without `send` and `throw`, and a coroutine's `await` knows how to step them.
    """
    steps: Coroutine[Any, Any, T] = (
        awaitable if type(awaitable) is CoroutineType else _await(awaitable)
    )
    try:
        value = steps.send(None)
        while True:
            try:
                sent = current.parent.switch(value)
            except BaseException as error:
                value = steps.throw(error)
            else:
                value = steps.send(sent)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


async def _await(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _outwait(
    value: Any, context: contextvars.Context | None
) -> Generator[Any, Any, tuple[Any, bool]]:
    """Wait for what a request greenlet handed up, whatever cancellations come.

    The task that is cancelled cancels the future that it waits for; so it is given a wait of its
    own (`asyncio.wait` never cancels what it waits for) and never the future itself.

    Returns:
        What to switch down, and whether a cancellation came meanwhile.
    """
    if value is None:
        try:
            yield None
        except asyncio.CancelledError:
            return None, True
        return None, False
    yielded = getattr(value, "_asyncio_future_blocking", False)
    if yielded:
        value._asyncio_future_blocking = False
        future = value
    else:
        future = spawn(capture(carry(value)), context)
    cancelled = False
    while not future.done():
        try:
            yield from asyncio.wait([future]).__await__()
        except asyncio.CancelledError:
            cancelled = True
    return None if yielded else future.result().unwrap(), cancelled


def enable_child_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have every task that is born in a request greenlet of `loop` run in one itself.

    So `gather`, `TaskGroup` and `create_task` in a view give tasks in which sync code can wait,
    and so do their own children. Other tasks, the server's among them, are left alone; a task
    factory that is set already is still asked.

    Runs in: the event loop.
    """
    factory = loop.get_task_factory()
    if not isinstance(factory, _ChildTaskFactory):
        loop.set_task_factory(_ChildTaskFactory(factory))


class _ChildTaskFactory:
    def __init__(self, original: Callable[..., Any] | None) -> None:
        self._original = original

    def __call__(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        is_child = type(getcurrent()) is RequestGreenlet
        carried = carry(coro) if is_child else coro
        if self._original is None:
            task: Any = asyncio.Task(carried, loop=loop, **options)
        else:
            task = self._original(loop, carried, **options)
        if is_child:  # one that is cancelled before its first step would leave its coroutine
            task.add_done_callback(lambda _: discard(coro))
        return task


def _abandon(request: RequestGreenlet, error: GeneratorExit) -> None:
    """Unwind a request greenlet whose driver is destroyed and so can wait no more."""
    request.parent = getcurrent()  # whoever closes the driver; control comes back to here
    while request.busy:
        request.throw(error)
    request.take_end()


def _await_in_thread(awaitable: Awaitable[T]) -> T:
    """Block this thread until the process's loop has run `awaitable` in this Context."""
    loop = portal.get_loop()
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is loop:
        raise _refuse(awaitable)
    contextvars.copy_context()  # a thread has no Context object before the first use of one
    caller = getcurrent()
    blocker = greenlet(_block, parent=caller)
    # Its own Context: while it blocks, the caller's Context must not be this thread's current one.
    blocker.gr_context = contextvars.Context()
    return blocker.switch(loop, awaitable, caller.gr_context)  # type: ignore[no-any-return]


def _refuse(awaitable: Awaitable[Any]) -> AwaitOnLoopError:
    """Return the error for a wait where waiting would stop the loop; give up the awaitable."""
    discard(awaitable)
    return AwaitOnLoopError(
        f"await_({awaitable!r}) was called on the event loop itself. No request greenlet carries "
        "this code (it is a loop callback or a task made outside the app), so waiting here would "
        "stop every request. Use `await` in async code, or call the sync function with "
        "`await flasync.run_sync(...)`."
    )


def _block(
    loop: asyncio.AbstractEventLoop, awaitable: Awaitable[T], context: contextvars.Context
) -> T:
    """Have `loop` run `awaitable` in `context`, and block until it has ended."""
    entered = _is_entered(context)
    used = context.copy() if entered else context
    done: ThreadFuture[Outcome] = ThreadFuture()
    task: asyncio.Task[Outcome] | None = None

    def start() -> None:
        nonlocal task
        enable_child_tasks(loop)
        task = spawn(capture(carry(awaitable)), used)
        task.add_done_callback(partial(_settle, done))

    try:
        loop.call_soon_threadsafe(start)
    except RuntimeError:  # the loop was closed a moment ago
        discard(awaitable)
        raise
    try:
        return done.result().unwrap()  # type: ignore[no-any-return]  # what the awaitable returned
    except KeyboardInterrupt:
        if not done.done():
            loop.call_soon_threadsafe(lambda: task and task.cancel())
        raise
    finally:
        if entered:
            _copy_changes(used, getcurrent().parent)


def _settle(done: ThreadFuture[Outcome], task: asyncio.Task[Outcome]) -> None:
    """Pass a finished task's outcome to the thread that blocks on `done`."""
    cancelled = task.cancelled()  # before its first step, or it would have an outcome
    done.set_result(Outcome(error=asyncio.CancelledError()) if cancelled else task.result())


def _is_entered(context: contextvars.Context) -> bool:
    """Whether somebody's `Context.run` of `context` is under way, so that a task cannot use it."""
    try:
        context.run(_nothing)
    except RuntimeError:
        return True
    return False


def _nothing() -> None:
    """Do nothing."""


def _copy_changes(source: contextvars.Context, caller: greenlet | None) -> None:
    """Set in the caller's entered Context what a coroutine changed in its copy of it.

    An entered Context can only be changed by code that runs in it: so this borrows it for the
    length of the call. It is this very thread's, and its owner is switched away.
    """
    borrower = greenlet(_set_all)
    borrower.gr_context = caller.gr_context if caller is not None else None
    borrower.switch(source)


def _set_all(source: contextvars.Context) -> None:
    """Set every variable of `source` that differs in the current Context."""
    for variable, value in source.items():
        if variable.get(None) is not value:
            variable.set(value)
