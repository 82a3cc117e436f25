"""`flasync.bridge`: values, exceptions, contexts and cancellations cross it both ways."""

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import greenlet
import pytest
from sqlalchemy.util import await_only, greenlet_spawn

from conftest import find_busy_greenlets, run_on_loop, settle
from flasync import portal
from flasync.bridge import await_, carry, drive, enable_child_tasks, shielded
from flasync.errors import AwaitOnLoopError

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def echo(value: Any) -> Any:
    """Return a value, after a turn of the loop."""
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> None:
    """Raise, after a turn of the loop."""
    await asyncio.sleep(0)
    raise error


def get_context() -> contextvars.Context | None:
    """The Context object that is current."""
    return greenlet.getcurrent().gr_context


class IteratorAwaitable:
    """An awaitable whose iterator has neither send nor throw, as some servers' have."""

    def __init__(self, outcome: Any, turns: int = 2) -> None:
        self.outcome = outcome
        self._turns = turns

    def __await__(self) -> "IteratorAwaitable":
        return self

    def __iter__(self) -> "IteratorAwaitable":
        return self

    def __next__(self) -> None:
        self._turns -= 1
        if self._turns:
            return
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        raise StopIteration(self.outcome)


class Own(BaseException):
    """An exception that `except Exception` lets through."""


# --- values and exceptions ----------------------------------------------------------------------


async def test_drive_returns_the_value() -> None:
    """What the function returns is what the awaiting code gets, whether it waited or not."""
    assert await drive(lambda: "at once") == "at once"
    assert await drive(lambda: await_(echo("later"))) == "later"
    assert await drive(lambda: [await_(echo(n)) for n in range(5)]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [ValueError("v"), Own("o"), asyncio.CancelledError("c")])
async def test_drive_raises_the_functions_exception(error: BaseException) -> None:
    """What the function raises reaches the awaiting code: the object itself, of any class."""

    def function() -> None:
        await_(echo(1))
        raise error

    with pytest.raises(type(error)) as info:
        await drive(function)
    assert info.value is error


@pytest.mark.parametrize("error", [ValueError("v"), Own("o"), asyncio.CancelledError("c")])
@pytest.mark.parametrize("awaits", [await_, await_only])
async def test_await_raises_the_awaitables_exception(
    awaits: Callable[[Awaitable[Any]], Any], error: BaseException
) -> None:
    """What the awaitable raises is raised where sync code waits; sync code may go on."""

    def function() -> str:
        try:
            awaits(fail(error))
        except BaseException as caught:
            assert caught is error
            return str(awaits(echo("went on")))
        return "not raised"

    assert await drive(function) == "went on"


async def make_future(value: Any) -> asyncio.Future[Any]:
    """A future that is done in a turn of the loop."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, value)
    return future


async def test_any_awaitable() -> None:
    """Coroutines, futures, done ones, tasks, and objects with `__await__` can be waited for."""
    loop = asyncio.get_running_loop()
    future = await make_future("future")
    done = loop.create_future()
    done.set_result("done")
    task = loop.create_task(echo("task"))

    class Object:
        def __await__(self) -> Generator[Any, Any, str]:
            yield
            return "object"

    def function() -> list[str]:
        return [
            await_(awaitable) for awaitable in (echo("coroutine"), future, done, task, Object())
        ]

    assert await drive(function) == ["coroutine", "future", "done", "task", "object"]


async def test_iterator_awaitable() -> None:
    """An awaitable whose iterator cannot `send` or `throw` works, with either outcome."""

    def function() -> str:
        value = await_(IteratorAwaitable("value"))
        with pytest.raises(ValueError, match="oops"):
            await_(IteratorAwaitable(ValueError("oops")))
        return value

    assert await drive(function) == "value"


async def test_cancelling_an_iterator_awaitable() -> None:
    """A cancellation ends the wait for an awaitable that cannot be told of it."""
    log: list[str] = []

    def function() -> None:
        try:
            await_(IteratorAwaitable("never", turns=10**9))
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    task = asyncio.ensure_future(drive_in_coroutine(function))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == ["cancelled"]


async def drive_in_coroutine(function: Callable[[], Any]) -> Any:
    """`drive` for `create_task`, which wants a coroutine."""
    return await drive(function)


async def test_not_awaitable() -> None:
    """What cannot be awaited is a TypeError, as with `await`."""
    with pytest.raises(TypeError, match="await"):
        await drive(lambda: await_(object()))  # type: ignore[arg-type]  # the point of the test


async def test_asynchronous_iteration_and_context_managers() -> None:
    """Sync code can step an async generator and leave it, one `await_` at a time."""
    log: list[str] = []

    async def numbers() -> Any:
        try:
            for number in range(3):
                await asyncio.sleep(0)
                yield number
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    def function() -> list[int]:
        generator = numbers()
        first = [await_(anext(generator)), await_(anext(generator))]
        await_(generator.aclose())
        return first

    assert await drive(function) == [0, 1]
    assert log == ["closed"]


# --- nesting ------------------------------------------------------------------------------------


async def test_nesting() -> None:
    """Sync in async in sync, as deep as wanted: each level waits and returns in turn."""
    log: list[str] = []

    async def descend(depth: int) -> int:
        await asyncio.sleep(0)
        log.append(f"down {depth}")
        total = depth + (ascend(depth - 1) if depth else 0)
        await asyncio.sleep(0)
        log.append(f"up {depth}")
        return total

    def ascend(depth: int) -> int:
        return await_(descend(depth))

    assert await drive(lambda: ascend(3)) == 6
    assert log == ["down 3", "down 2", "down 1", "down 0", "up 0", "up 1", "up 2", "up 3"]


async def test_drive_inside_drive() -> None:
    """A coroutine that sync code waits for may drive further sync code."""

    async def inner() -> str:
        return await drive(lambda: await_(echo("inner")) + await_(echo("most")))

    assert await drive(lambda: await_(inner()) + await_(echo("!"))) == "innermost!"


async def test_carry_lets_sync_code_below_wait() -> None:
    """Sync code called by a carried coroutine can use `await_`, unlike in a bare task."""

    def sync() -> str:
        return await_(echo("below"))

    async def coroutine() -> str:
        return sync()

    assert await carry(coroutine()) == "below"
    with pytest.raises(AwaitOnLoopError):
        portal.adopt(asyncio.get_running_loop())
        await coroutine()


async def test_many_overlap() -> None:
    """Functions that wait for each other's signals all run: none holds the loop."""
    loop = asyncio.get_running_loop()
    count = 300  # beyond the greenlets that are kept at rest
    arrived = 0
    everyone = loop.create_future()

    def function(number: int) -> int:
        nonlocal arrived
        arrived += 1
        if arrived == count:
            everyone.set_result(None)
        await_(everyone)
        return number

    runs = [drive_in_coroutine(lambda n=n: function(n)) for n in range(count)]
    assert await asyncio.gather(*runs) == list(range(count))


async def test_greenlets_are_used_again() -> None:
    """Requests in turn share one greenlet, however they end."""
    seen: list[greenlet.greenlet] = []

    def note(error: BaseException | None = None) -> None:
        seen.append(greenlet.getcurrent())
        await_(echo(1))
        if error is not None:
            raise error

    await drive(note)
    with suppress(Own):
        await drive(lambda: note(Own()))
    await drive(note)
    assert len(set(seen)) == 1


async def test_a_resting_greenlet_keeps_nothing_alive() -> None:
    """What a finished function used is free, although its greenlet is kept."""

    class Thing:
        pass

    alive: list[Any] = []

    def function() -> Thing:
        import weakref  # noqa: PLC0415  one test's own

        thing = Thing()
        alive.append(weakref.ref(thing))
        await_(echo(thing))
        return thing

    await drive(function)
    gc.collect()
    assert alive[0]() is None


# --- the context --------------------------------------------------------------------------------


async def test_one_context_object() -> None:
    """Awaiting code, sync code, coroutines below and what they await share one Context object."""
    seen: list[contextvars.Context | None] = [get_context()]
    tokens: list[contextvars.Token[str]] = []

    async def coroutine() -> None:
        seen.append(get_context())
        tokens.append(variable.set("coroutine"))
        await asyncio.sleep(0)
        seen.append(get_context())

    def function() -> None:
        seen.append(get_context())
        await_(coroutine())
        seen.append(get_context())
        assert variable.get() == "coroutine"
        variable.set("function")

    await drive(function)
    seen.append(get_context())
    assert variable.get() == "function"
    assert all(context is seen[0] for context in seen)
    variable.reset(tokens[0])  # raises ValueError in any other Context
    assert variable.get() == "unset"


async def test_contexts_do_not_mix() -> None:
    """Functions that take turns on one loop do not see each other's variables."""

    def function(name: str) -> list[str]:
        variable.set(name)
        return [await_(echo(variable)) and variable.get() for _ in range(3)]

    names = ["a", "b", "c"]
    runs = [drive_in_coroutine(lambda n=n: function(n)) for n in names]
    assert await asyncio.gather(*runs) == [[name] * 3 for name in names]
    assert variable.get() == "unset"


async def test_a_greenlet_at_rest_has_no_context() -> None:
    """A greenlet that is used again does not bring the last request's Context along."""
    await asyncio.create_task(drive_in_coroutine(lambda: variable.set("first")))
    assert await asyncio.create_task(drive_in_coroutine(variable.get)) == "unset"


# --- SQLAlchemy's protocol ----------------------------------------------------------------------


async def test_sqlalchemy_await_only() -> None:
    """SQLAlchemy's dialects can wait in driven code, and in sync code below its coroutines."""

    async def coroutine() -> str:
        return str(await_only(echo("deep")))

    def function() -> list[str]:
        return [await_only(echo("direct")), await_(coroutine())]

    assert await drive(function) == ["direct", "deep"]


async def test_sqlalchemy_greenlet_spawn() -> None:
    """Inside SQLAlchemy's own greenlets both ways of waiting work, in and outside driven code."""

    def sync() -> list[str]:
        return [await_only(echo("theirs")), await_(echo("ours"))]

    async def coroutine() -> list[str]:
        return list(await greenlet_spawn(sync))

    assert await coroutine() == ["theirs", "ours"]
    assert await drive(lambda: await_(coroutine())) == ["theirs", "ours"]
    assert await greenlet_spawn(lambda: await_(coroutine())) == ["theirs", "ours"]


# --- in threads ---------------------------------------------------------------------------------


def in_new_thread(function: Callable[[], Any]) -> Any:
    """Run a function in a plain thread of its own and return what it returns."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@pytest.mark.usefixtures("background_loop")
@pytest.mark.parametrize("where", [lambda function: function(), in_new_thread])
def test_plain_threads(where: Callable[[Callable[[], Any]], Any]) -> None:
    """Without any server, sync code in the main thread and in others waits on one loop."""

    async def get_running_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert where(lambda: await_(echo("value"))) == "value"
    loops = [where(lambda: await_(get_running_loop())) for _ in range(2)]
    assert loops[0] is loops[1] is portal.get_loop()


@pytest.mark.usefixtures("background_loop")
@pytest.mark.parametrize(
    "error",
    [ValueError("v"), Own("o"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()],
)
def test_exceptions_in_plain_threads(error: BaseException) -> None:
    """Whatever a coroutine raises reaches the thread that waits, and the loop lives on."""
    for _ in range(2):
        with pytest.raises(type(error)):
            await_(fail(error))
    assert await_(echo("alive")) == "alive"


@pytest.mark.usefixtures("background_loop")
@pytest.mark.parametrize("where", [lambda function: function(), in_new_thread])
def test_context_in_plain_threads(where: Callable[[Callable[[], Any]], Any]) -> None:
    """The coroutine sees the caller's variables, and what it sets is seen by the caller."""

    async def change() -> str:
        before = variable.get()
        await asyncio.sleep(0)
        variable.set("changed")
        return before

    def function() -> list[str]:
        token = variable.set("caller")
        seen = [await_(change()), variable.get()]
        variable.reset(token)
        return [*seen, variable.get()]

    assert where(function) == ["caller", "changed", "unset"]


@pytest.mark.usefixtures("background_loop")
def test_same_context_object_in_plain_threads() -> None:
    """Outside `Context.run` the coroutine gets the caller's Context itself, tokens included."""

    async def change() -> tuple[contextvars.Context | None, contextvars.Token[str]]:
        return get_context(), variable.set("coroutine")

    def function() -> None:
        variable.set("caller")
        context, token = await_(change())
        assert context is get_context()
        variable.reset(token)
        assert variable.get() == "caller"

    in_new_thread(function)


@pytest.mark.usefixtures("background_loop")
def test_inside_context_run() -> None:
    """Inside `Context.run` the values still go both ways."""

    async def change() -> str:
        before = variable.get()
        variable.set("changed")
        return before

    def function() -> list[str]:
        variable.set("caller")
        return [await_(change()), variable.get()]

    context = contextvars.copy_context()
    assert context.run(function) == ["caller", "changed"]
    assert context[variable] == "changed"
    assert variable.get() == "unset"


@pytest.mark.usefixtures("background_loop")
def test_inside_context_run_after_an_exception() -> None:
    """What a failing coroutine had set before it failed is seen as well."""

    async def change() -> None:
        variable.set("changed")
        raise ValueError

    def function() -> str:
        with pytest.raises(ValueError):
            await_(change())
        return variable.get()

    assert contextvars.copy_context().run(function) == "changed"


@pytest.mark.usefixtures("background_loop")
async def test_on_a_foreign_loop() -> None:
    """Code that runs on some other loop (a test's) waits as any thread does."""
    assert await_(echo("value")) == "value"
    variable.set("test")

    async def change() -> str:
        before = variable.get()
        variable.set("changed")
        return before

    assert await_(change()) == "test"
    assert variable.get() == "changed"


@pytest.mark.usefixtures("background_loop")
def test_nesting_in_plain_threads() -> None:
    """A coroutine may call sync code that waits, on the background loop too."""

    async def coroutine() -> str:
        return await_(echo("inner")) + str(await_only(echo("most")))

    assert await_(coroutine()) == "innermost"


@pytest.mark.usefixtures("background_loop")
def test_sqlalchemy_in_plain_threads() -> None:
    """`greenlet_spawn` works below an `await_` of a plain thread."""

    def sync() -> list[str]:
        return [await_only(echo("theirs")), await_(echo("ours"))]

    assert await_(greenlet_spawn(sync)) == ["theirs", "ours"]


@pytest.mark.usefixtures("background_loop")
def test_many_threads() -> None:
    """Threads that wait at the same time wait on the same loop, side by side."""
    count = 20
    barrier: list[asyncio.Event] = []

    async def meet() -> int:
        if not barrier:
            barrier.append(asyncio.Event())
            barrier[0].arrived = 0  # type: ignore[attr-defined]
        event: Any = barrier[0]
        event.arrived += 1
        if event.arrived == count:
            event.set()
        await event.wait()
        return threading.get_ident()

    outcomes: list[int] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(await_(meet()))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == count
    assert len(set(outcomes)) == 1


# --- on the loop itself -------------------------------------------------------------------------


async def test_await_on_the_loop() -> None:
    """On the process's loop, outside a request greenlet, it is an error, and nothing leaks."""
    portal.adopt(asyncio.get_running_loop())
    coroutine = echo("never")
    with pytest.raises(AwaitOnLoopError, match="run_sync"):
        await_(coroutine)
    assert coroutine.cr_frame is None  # closed: else "never awaited", an error in these tests
    with pytest.raises(AwaitOnLoopError):
        await_(asyncio.get_running_loop().create_future())


async def test_await_in_a_foreign_task() -> None:
    """A task that the app did not start (the server's own) cannot wait in sync code."""
    portal.adopt(asyncio.get_running_loop())

    async def foreign() -> None:
        await_(echo("never"))

    with pytest.raises(AwaitOnLoopError):
        await asyncio.create_task(foreign())


async def test_child_tasks() -> None:
    """Tasks born in driven code, and theirs, may wait in sync code; they overlap."""
    loop = asyncio.get_running_loop()
    portal.adopt(loop)
    enable_child_tasks(loop)
    log: list[str] = []
    gate = loop.create_future()

    async def grandchild(name: str) -> str:
        log.append(f"{name} begins")
        await_(asyncio.shield(gate))
        return name

    async def child(name: str) -> list[str]:
        return [*await asyncio.gather(grandchild(f"{name}1"), grandchild(f"{name}2"))]

    async def parent() -> list[list[str]]:
        loop.call_soon(loop.call_soon, loop.call_soon, gate.set_result, None)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(name)) for name in "ab"]
        return [task.result() for task in tasks]

    assert await carry(parent()) == [["a1", "a2"], ["b1", "b2"]]
    assert sorted(log) == ["a1 begins", "a2 begins", "b1 begins", "b2 begins"]


async def test_child_task_outlives_its_parent() -> None:
    """A task that driven code starts and leaves goes on by itself, waits included."""
    loop = asyncio.get_running_loop()
    enable_child_tasks(loop)
    gate = loop.create_future()

    async def child() -> str:
        await_(echo("first"))
        return str(await_(gate))

    async def parent() -> asyncio.Task[str]:
        return asyncio.create_task(child())

    task = await carry(parent())
    await settle()
    assert not task.done()
    gate.set_result("done")
    assert await task == "done"


async def test_cancelling_a_child_task() -> None:
    """A child task is cancelled by itself: its parent goes on."""
    loop = asyncio.get_running_loop()
    enable_child_tasks(loop)
    log: list[str] = []

    async def child() -> None:
        try:
            await_(loop.create_future())
        finally:
            log.append("child ended")

    async def parent() -> str:
        task = asyncio.create_task(child())
        await settle()
        task.cancel()
        await asyncio.wait([task])
        return "cancelled" if task.cancelled() else "not cancelled"

    assert await carry(parent()) == "cancelled"
    assert log == ["child ended"]


async def test_task_factory_is_kept() -> None:
    """The loop's own task factory still makes the tasks; enabling twice is enabling once."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        made.append("made")
        return asyncio.Task(coro, loop=loop, **options)

    loop.set_task_factory(factory)
    try:
        enable_child_tasks(loop)
        enable_child_tasks(loop)
        enabled = loop.get_task_factory()

        async def parent() -> str:
            return await asyncio.create_task(echo("value"))

        assert await carry(parent()) == "value"
        assert made == ["made"]
        assert loop.get_task_factory() is enabled
    finally:
        loop.set_task_factory(before)


async def test_task_names_and_contexts_are_kept() -> None:
    """A child task has the name and the Context that its maker gives it."""
    enable_child_tasks(asyncio.get_running_loop())
    context = contextvars.copy_context()

    async def child() -> contextvars.Context | None:
        return get_context()

    async def parent() -> tuple[str, contextvars.Context | None]:
        loop = asyncio.get_running_loop()
        task = loop.create_task(child(), name="own name", context=context)
        return task.get_name(), await task

    assert await carry(parent()) == ("own name", context)


async def test_await_in_a_callback() -> None:
    """A loop callback cannot wait."""
    loop = asyncio.get_running_loop()
    portal.adopt(loop)
    outcome = loop.create_future()

    def callback() -> None:
        try:
            await_(echo("never"))
        except AwaitOnLoopError:
            outcome.set_result("refused")

    def function() -> str:
        loop.call_soon(callback)
        return str(await_(outcome))

    assert await drive(function) == "refused"


# --- cancellation -------------------------------------------------------------------------------


class Run:
    """A driven function that waits, in a task, with a log of what happens."""

    def __init__(self, function: Callable[["Run"], Any]) -> None:
        self.log: list[str] = []
        self.loop = asyncio.get_running_loop()
        self._waits: list[asyncio.Future[None]] = []
        self.reached = asyncio.Event()
        self.task = self.loop.create_task(drive_in_coroutine(lambda: function(self)))

    def wait(self, name: str) -> None:
        """Wait in sync code until somebody calls `go` or cancels."""
        await_(self.pause(name))

    async def pause(self, name: str) -> None:
        """Wait in async code."""
        self.log.append(f"{name} begins")
        self._waits.append(self.loop.create_future())
        self.reached.set()
        try:
            await self._waits[-1]
            self.log.append(f"{name} ends")
        except asyncio.CancelledError:
            self.log.append(f"{name} cancelled")
            raise

    def go(self) -> None:
        """End the last wait."""
        if not self._waits[-1].done():
            self._waits[-1].set_result(None)

    async def arrive(self) -> None:
        """Wait until the function waits."""
        await self.reached.wait()
        self.reached.clear()

    async def end(self) -> str:
        """How the task ended."""
        await asyncio.wait([self.task])
        if self.task.cancelled():
            return "cancelled"
        return repr(self.task.exception() or self.task.result())


async def test_cancel_before_it_starts() -> None:
    """A task that is cancelled before its first step runs nothing."""
    if asyncio.get_running_loop().get_task_factory() is not None:
        return  # an eager task has had its first step when it can be cancelled
    run = Run(lambda run: run.wait("wait"))
    run.task.cancel()
    assert await run.end() == "cancelled"
    assert run.log == []


async def test_cancel_while_it_waits() -> None:
    """The cancellation is raised where sync code waits; `finally` and `except` run in order."""

    def function(run: Run) -> None:
        try:
            run.wait("wait")
        except asyncio.CancelledError:
            run.log.append("except")
            raise
        finally:
            run.log.append("finally")

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    assert await run.end() == "cancelled"
    assert run.log == ["wait begins", "wait cancelled", "except", "finally"]


async def test_cancel_during_clean_up() -> None:
    """A `finally` may wait; a second cancellation is raised there."""

    def function(run: Run) -> None:
        try:
            run.wait("work")
        finally:
            try:
                run.wait("clean-up")
            finally:
                run.log.append("finally")

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await run.arrive()
    run.task.cancel()
    assert await run.end() == "cancelled"
    assert run.log == [
        "work begins",
        "work cancelled",
        "clean-up begins",
        "clean-up cancelled",
        "finally",
    ]


async def test_clean_up_that_waits_runs_to_its_end() -> None:
    """After one cancellation a `finally` that waits gets what it waits for."""

    def function(run: Run) -> None:
        try:
            run.wait("work")
        finally:
            run.wait("clean-up")

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await run.arrive()
    run.go()
    assert await run.end() == "cancelled"
    assert run.log[2:] == ["clean-up begins", "clean-up ends"]


async def test_caught_cancellation() -> None:
    """Sync code that catches a cancellation goes on, as async code does."""

    def function(run: Run) -> str:
        with suppress(asyncio.CancelledError):
            run.wait("work")
        run.wait("more")
        return "result"

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await run.arrive()
    run.go()
    assert await run.end() == "'result'"


async def test_cancel_at_the_moment_it_is_done() -> None:
    """Cancelled when what it waits for is just done, it is cancelled there, and not lost."""
    run = Run(lambda run: run.wait("wait"))
    await run.arrive()
    run.go()
    run.task.cancel()
    assert await run.end() == "cancelled"
    assert run.log == ["wait begins", "wait cancelled"]


async def test_cancelling_the_task_cancels_what_it_waits_for() -> None:
    """A child task that sync code waits for is cancelled with it."""
    loop = asyncio.get_running_loop()
    log: list[str] = []

    async def child() -> None:
        try:
            await loop.create_future()
        finally:
            log.append("child ended")

    task = loop.create_task(drive_in_coroutine(lambda: await_(loop.create_task(child()))))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == ["child ended"]


async def test_timeout_in_driven_code() -> None:
    """`asyncio.timeout` around a wait, in a coroutine below sync code, ends that wait alone."""

    async def impatient() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return "timed out"
        return "not timed out"

    assert await drive(lambda: await_(impatient()) + await_(echo("!"))) == "timed out!"


# --- shielded -----------------------------------------------------------------------------------


def build_shielded(awaits: Callable[[Awaitable[Any]], Any]) -> Callable[[Run], str]:
    """A function with a shielded wait and an open one after it."""

    def function(run: Run) -> str:
        try:
            with shielded():
                awaits(run.pause("shielded"))
                run.log.append("shield ends")
            awaits(run.pause("open"))
        finally:
            run.log.append("finally")
        return "result"

    return function


@pytest.mark.parametrize("awaits", [await_, await_only])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_shielded(awaits: Callable[[Awaitable[Any]], Any], times: int) -> None:
    """A shielded wait goes to its end however often it is cancelled; the next wait is cancelled."""
    run = Run(build_shielded(awaits))
    await run.arrive()
    for _ in range(times):
        run.task.cancel()
        await settle()
        assert run.log == ["shielded begins"]
    run.go()
    assert await run.end() == "cancelled"
    # Whichever way it is handed up, the coroutine is entered and cancelled where it first waits.
    opened = ["open begins", "open cancelled"]
    assert run.log == ["shielded begins", "shielded ends", "shield ends", *opened, "finally"]


async def test_shielded_to_the_end() -> None:
    """Where no wait follows the shield, the cancellation is raised at the end."""

    def function(run: Run) -> str:
        with shielded():
            run.wait("shielded")
        run.log.append("returns")
        return "result"

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await settle()
    run.go()
    assert await run.end() == "cancelled"
    assert run.log == ["shielded begins", "shielded ends", "returns"]


async def test_shielded_exceptions() -> None:
    """What a shielded wait raises is raised; the function's own exception wins in the end."""

    def function(run: Run) -> None:
        with shielded(), pytest.raises(ValueError, match="inside"):
            await_(fail(ValueError("inside")))
        with shielded():
            run.wait("wait")
            raise ValueError("outside")

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await settle()
    run.go()
    assert await run.end() == "ValueError('outside')"


async def test_shields_nest() -> None:
    """A shield in a shield ends with the outer one."""

    def function(run: Run) -> None:
        with shielded():
            with shielded():
                run.wait("inner")
            run.wait("outer")
        run.wait("open")

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await settle()
    run.go()
    await run.arrive()
    run.task.cancel()
    await settle()
    run.go()
    assert await run.end() == "cancelled"
    assert run.log[:4] == ["inner begins", "inner ends", "outer begins", "outer ends"]
    assert run.log[4:] == ["open begins", "open cancelled"]


async def test_shield_over_bare_turns() -> None:
    """A shielded `asyncio.sleep(0)`, which waits for no future, holds a cancellation back too."""
    log: list[str] = []

    def function() -> None:
        with shielded():
            for _ in range(3):
                await_(asyncio.sleep(0))
            log.append("shield ends")
        await_(asyncio.sleep(0))
        log.append("not reached")

    task = asyncio.get_running_loop().create_task(drive_in_coroutine(function))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert log == ["shield ends"]


async def test_held_back_cancellation_reaches_the_next_awaitable() -> None:
    """A task that is waited for after the shield is cancelled, not left running."""
    loop = asyncio.get_running_loop()
    children: list[asyncio.Task[Any]] = []

    def function(run: Run) -> None:
        with shielded():
            run.wait("shielded")
        children.append(loop.create_task(asyncio.Event().wait()))
        await_(children[0])

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await settle()
    run.go()
    assert await run.end() == "cancelled"
    await settle()
    assert children[0].cancelled()


async def test_held_back_cancellation_closes_the_next_coroutine() -> None:
    """A coroutine handed up after the shield is closed, not forgotten: no "never awaited"."""
    coroutine = echo("never")

    def function(run: Run) -> None:
        with shielded():
            run.wait("shielded")
        await_only(coroutine)

    run = Run(function)
    await run.arrive()
    run.task.cancel()
    await settle()
    run.go()
    assert await run.end() == "cancelled"
    assert coroutine.cr_frame is None


async def test_shielded_system_exit() -> None:
    """`sys.exit` in a shielded coroutine is raised where sync code waits, and nowhere else."""

    def function() -> str:
        with shielded(), pytest.raises(SystemExit):
            await_only(fail(SystemExit(3)))
        return "went on"

    assert await drive(function) == "went on"


@pytest.mark.usefixtures("background_loop")
def test_shielded_outside_a_request() -> None:
    """In a plain thread a shield is nothing, and harms nothing."""
    with shielded():
        assert await_(echo("value")) == "value"


# --- destroyed drivers --------------------------------------------------------------------------


def step(awaitable: Any) -> Iterator[Any]:
    """The iterator that a task would step."""
    return iter(awaitable.__await__() if hasattr(awaitable, "__await__") else awaitable)


async def test_closing_a_driver() -> None:
    """A driver that is closed while its function waits unwinds the function."""
    log: list[str] = []
    future = asyncio.get_running_loop().create_future()

    def function() -> None:
        try:
            await_(future)
        except GeneratorExit:
            log.append("unwound")
            raise
        finally:
            log.append("finally")

    steps: Any = step(drive(function))
    steps.send(None)
    steps.close()
    assert log == ["unwound", "finally"]
    assert find_busy_greenlets() == []


async def test_closing_a_driver_inside_another() -> None:
    """Closing a driver from another request's sync code returns to that code, in that greenlet."""
    log: list[str] = []
    future = asyncio.get_running_loop().create_future()

    def function() -> None:
        try:
            await_(future)
        finally:
            log.append("unwound")

    steps: Any = step(drive(function))
    steps.send(None)
    turns: list[str] = []

    def other() -> str:
        here = greenlet.getcurrent()
        before = len(turns)
        steps.close()
        assert greenlet.getcurrent() is here
        assert len(turns) == before  # nobody else ran: closing is no switch
        log.append("went on")
        return "other's"

    task = asyncio.get_running_loop().create_task(drive_in_coroutine(other))
    asyncio.get_running_loop().call_soon(turns.append, "turn")
    assert await task == "other's"
    assert log == ["unwound", "went on"]


def test_loop_closed_under_a_driver() -> None:
    """A loop that is closed with a driver on it leaves no greenlet when the task is gone."""
    log: list[str] = []
    loop = asyncio.new_event_loop()

    def function() -> None:
        try:
            await_(loop.create_future())
        finally:
            log.append("finally")

    async def begin() -> None:
        step_by_hand.append(step(drive(function)))
        step_by_hand[0].send(None)  # type: ignore[attr-defined]

    step_by_hand: list[Iterator[Any]] = []
    loop.run_until_complete(begin())
    loop.close()
    step_by_hand.clear()
    gc.collect()
    assert log == ["finally"]


# --- on_wait ------------------------------------------------------------------------------------


async def test_on_wait() -> None:
    """The callback is called at each wait until it says that once is enough."""
    answers = [False, False, True]
    calls: list[bool] = []

    def on_wait() -> bool:
        calls.append(answers[len(calls)])
        return calls[-1]

    await drive(lambda: [await_(echo(n)) for n in range(5)], on_wait)
    assert calls == answers


async def test_on_wait_is_not_called_without_a_wait() -> None:
    """A function that never waits has no watcher."""

    def on_wait() -> bool:
        raise AssertionError("called")

    assert await drive(lambda: "value", on_wait) == "value"


# --- processes ----------------------------------------------------------------------------------


def run_script(script: str, *, interrupt_at: str | None = None) -> tuple[int, str, str]:
    """Run a script in a process of its own; send it SIGINT when it has printed a line."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = ""
    if interrupt_at is not None:
        first = process.stdout.readline()
        assert first == f"{interrupt_at}\n"
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, first + out, err


def test_keyboard_interrupt() -> None:
    """Ctrl-C ends the wait of the main thread, and cancels the coroutine."""
    script = """
import asyncio, signal
from flasync import await_, portal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
ended = []
async def wait():
    print("waiting", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("cancelled")
try:
    await_(wait())
except KeyboardInterrupt:
    portal.stop_background()
    print("interrupted", ended, flush=True)
"""
    code, out, err = run_script(script, interrupt_at="waiting")
    assert (code, err) == (0, "")
    assert out == "waiting\ninterrupted ['cancelled']\n"


def test_process_ends_with_the_background_loop_running() -> None:
    """A script that has used `await_` ends by itself, silently."""
    script = """
import asyncio
from flasync import await_
await_(asyncio.sleep(0))
print("done")
"""
    assert run_script(script) == (0, "done\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_fork() -> None:
    """A child process starts a loop of its own and does not wait on its parent's."""
    script = """
import asyncio, os, warnings
from flasync import await_, portal
async def get_loop():
    return asyncio.get_running_loop()
parent_loop = await_(get_loop())
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside a thread: the point here
    child = os.fork()
if child == 0:
    loop = await_(get_loop())
    os._exit(0 if loop is not parent_loop and loop is portal.get_loop() else 1)
_, status = os.waitpid(child, 0)
assert await_(get_loop()) is parent_loop
print(os.waitstatus_to_exitcode(status))
"""
    assert run_script(script) == (0, "0\n", "")


def test_sequential_loops() -> None:
    """Driven code runs on one loop after another in the same thread."""
    for kind in ("asyncio", "uvloop", "asyncio"):
        run = partial(drive_in_coroutine, partial(await_, echo(kind)))
        assert run_on_loop(kind, run) == kind
