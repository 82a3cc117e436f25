"""`flasync.threads`: requests in worker threads, their waits, and `run_sync`."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import greenlet
import pytest
from sqlalchemy.util import await_only, greenlet_spawn

from conftest import settle
from flasync import call_in_thread, portal, run_sync
from flasync.bridge import await_, carry, shielded
from flasync.errors import AwaitOnLoopError, NoRequestError
from flasync.threads import Lease, ThreadRun, current_lease
from flasync.workers import WorkerPool

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Threads:
    """A request's lease on a pool, and runs in it with a log."""

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.lease = Lease(pool)
        self.log: list[str] = []
        self._waits: list[asyncio.Future[None]] = []
        self._begun = asyncio.Event()

    def start(self, function: Callable[[], Any]) -> "asyncio.Task[Any]":
        """Run a function in the lease's thread, in a task."""
        return asyncio.get_running_loop().create_task(ThreadRun(self.lease, function).drive())

    async def pause(self, name: str) -> None:
        """Wait until the test says `go`, on the loop."""
        self.log.append(f"{name} begins")
        self._waits.append(asyncio.get_running_loop().create_future())
        self._begun.set()
        try:
            await self._waits[-1]
            self.log.append(f"{name} ends")
        except asyncio.CancelledError:
            self.log.append(f"{name} cancelled")
            raise

    async def arrive(self) -> None:
        """Wait until the function waits."""
        await self._begun.wait()
        self._begun.clear()

    def go(self) -> None:
        """End the wait."""
        self._waits[-1].set_result(None)


@asynccontextmanager
async def open_threads(size: int = 1) -> AsyncGenerator[Threads]:
    """A pool with one request in it."""
    threads = Threads(WorkerPool(size))
    token = current_lease.set(threads.lease)
    try:
        yield threads
    finally:
        current_lease.reset(token)
        threads.lease.close()
        await threads.pool.close(30)


async def echo(value: Any) -> Any:
    """Return a value after a turn of the loop."""
    await asyncio.sleep(0)
    return value


async def get_ident() -> int:
    """The thread that runs this."""
    return threading.get_ident()


async def test_run_sync_runs_in_one_thread() -> None:
    """Within a request it is the same thread from call to call, and not the loop's."""
    async with open_threads(3):
        idents = {await run_sync(threading.get_ident) for _ in range(3)}
        assert len(idents) == 1
        assert threading.get_ident() not in idents


async def test_run_sync_passes_arguments_and_results() -> None:
    """Positional and keyword arguments go in; the value or the exception comes out."""
    async with open_threads():
        assert await run_sync(dict, [("a", 1)], b=2) == {"a": 1, "b": 2}
        for error in (ValueError("v"), SystemExit(3), KeyboardInterrupt()):

            def fail(error: BaseException = error) -> None:
                raise error

            with pytest.raises(type(error)) as info:
                await run_sync(fail)
            assert info.value is error


async def test_run_sync_in_the_callers_context() -> None:
    """The function runs in the caller's very Context: variables and tokens go both ways."""
    async with open_threads():
        token = variable.set("caller")

        def function() -> tuple[str, Any, Any]:
            before = variable.get()
            return before, greenlet.getcurrent().gr_context, variable.set("function")

        before, context, inner = await run_sync(function)
        assert before == "caller"
        assert context is greenlet.getcurrent().gr_context
        assert variable.get() == "function"
        variable.reset(inner)
        variable.reset(token)


async def test_await_in_run_sync() -> None:
    """The function can wait for coroutines; these run on the loop, in the same Context."""
    async with open_threads():
        variable.set("caller")

        async def change() -> int:
            assert variable.get() == "function"
            variable.set("coroutine")
            return await get_ident()

        def function() -> tuple[int, str]:
            variable.set("function")
            return await_(change()), variable.get()

        assert await run_sync(function) == (threading.get_ident(), "coroutine")


async def test_exceptions_of_awaited_code() -> None:
    """What a coroutine raises is raised in the thread, where it may be caught."""
    async with open_threads():

        async def fail() -> None:
            await asyncio.sleep(0)
            raise SystemExit(3)

        def function() -> str:
            with pytest.raises(SystemExit):
                await_(fail())
            return str(await_(echo("went on")))

        assert await run_sync(function) == "went on"


async def test_nesting() -> None:
    """Sync in async in sync, across the threads, as deep as wanted."""
    async with open_threads():
        log: list[str] = []

        def sync(depth: int) -> str:
            log.append(f"sync {depth} {threading.get_ident() != loop_thread}")
            return str(await_(coroutine(depth)))

        async def coroutine(depth: int) -> str:
            log.append(f"async {depth} {threading.get_ident() == loop_thread}")
            if not depth:
                return "bottom"
            return await run_sync(sync, depth - 1)

        loop_thread = threading.get_ident()
        assert await run_sync(sync, 2) == "bottom"
        assert log == [f"{kind} {depth} True" for depth in (2, 1, 0) for kind in ("sync", "async")]


async def test_sqlalchemy_in_threads() -> None:
    """SQLAlchemy's two ways to wait work in a worker thread."""
    async with open_threads():

        def sync() -> list[str]:
            return [await_only(echo("theirs")), await_(echo("ours"))]

        assert await run_sync(sync) == ["theirs", "ours"]
        assert await run_sync(lambda: await_(greenlet_spawn(sync))) == ["theirs", "ours"]


async def test_one_thread_for_parts_at_the_same_time() -> None:
    """Parts of one request that run at the same time take turns in its one thread."""
    async with open_threads(3):
        log: list[str] = []

        def function(name: str) -> int:
            log.append(f"{name} begins")
            log.append(f"{name} ends")
            return threading.get_ident()

        calls = [run_sync(function, name) for name in "abc"]
        assert len(set(await asyncio.gather(*calls))) == 1
        assert [entry.split()[1] for entry in log] == ["begins", "ends"] * 3


async def test_lease_is_given_back() -> None:
    """Between two calls the thread is free for other requests."""
    async with open_threads(1) as threads:
        await run_sync(threading.get_ident)
        other = Lease(threads.pool)
        await ThreadRun(other, threading.get_ident).drive()
        other.close()
        await run_sync(threading.get_ident)


async def test_outside_a_request() -> None:
    """Where no request is at hand, or it is over, any worker thread serves."""
    from flasync.workers import get_pool, give_up_pool  # noqa: PLC0415  one test's own

    pool = get_pool()
    pool.users += 1
    assert await run_sync(threading.get_ident) != threading.get_ident()
    lease = Lease(pool)
    lease.close()
    current_lease.set(lease)
    assert await run_sync(threading.get_ident) != threading.get_ident()
    await give_up_pool(pool, 30)


def test_without_a_loop() -> None:
    """Where no loop runs there is nothing to keep free, and that is what is said."""
    coroutine = run_sync(int)
    with pytest.raises(NoRequestError, match="Call the function directly"):
        coroutine.send(None)


# --- cancellation -------------------------------------------------------------------------------


async def test_cancelled_in_line() -> None:
    """Who is cancelled while waiting for a thread has not begun, and takes no thread along."""
    async with open_threads(1) as threads:
        worker = await threads.pool.acquire()
        task = threads.start(lambda: threads.log.append("ran"))
        await settle()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        threads.pool.release(worker)
        await settle()
        assert threads.log == []
        assert threads.pool.is_free


async def test_cancelled_at_work() -> None:
    """A thread at work is not interrupted: the task ends after it, cancelled."""
    may_end = threading.Event()
    async with open_threads() as threads:

        def function() -> None:
            threads.log.append("begins")
            assert may_end.wait(timeout=60)
            threads.log.append("ends")

        task = threads.start(function)
        for _ in range(2):
            await settle()
            task.cancel()
        await settle()
        assert not task.done()
        may_end.set()
        await asyncio.wait([task])
        assert task.cancelled()
        assert threads.log == ["begins", "ends"]


async def test_cancelled_at_work_is_told_at_the_next_wait() -> None:
    """What came while the thread was at work is raised where it next waits."""
    may_go_on = threading.Event()
    async with open_threads() as threads:

        def function() -> None:
            assert may_go_on.wait(timeout=60)
            try:
                await_(threads.pause("wait"))
            finally:
                threads.log.append("finally")

        task = threads.start(function)
        await settle()
        task.cancel()
        await settle()
        may_go_on.set()
        await asyncio.wait([task])
        assert task.cancelled()
        assert threads.log[-1] == "finally"
        assert "wait ends" not in threads.log


async def test_cancelled_while_it_waits_and_in_clean_up() -> None:
    """Cancelled in a wait, and again in its `finally`: each is raised where it waits."""
    async with open_threads() as threads:

        def function() -> None:
            try:
                await_(threads.pause("work"))
            finally:
                try:
                    await_(threads.pause("clean-up"))
                finally:
                    threads.log.append("finally")

        task = threads.start(function)
        for _ in range(2):
            await threads.arrive()
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert threads.log == [
            "work begins",
            "work cancelled",
            "clean-up begins",
            "clean-up cancelled",
            "finally",
        ]


@pytest.mark.parametrize("awaits", [await_, await_only])
async def test_shielded(awaits: Callable[[Any], Any]) -> None:
    """A shielded wait in a thread goes to its end; the next one is cancelled."""
    async with open_threads() as threads:

        def function() -> None:
            with shielded():
                awaits(threads.pause("shielded"))
                threads.log.append("shield ends")
            awaits(asyncio.sleep(3600))
            threads.log.append("not reached")

        task = threads.start(function)
        await threads.arrive()
        for _ in range(3):
            task.cancel()
            await settle()
        threads.go()
        await asyncio.wait([task])
        assert task.cancelled()
        assert threads.log == ["shielded begins", "shielded ends", "shield ends"]


async def test_own_exception_wins() -> None:
    """A function that fails after it was cancelled raises what it failed with."""
    async with open_threads() as threads:

        def function() -> None:
            try:
                await_(threads.pause("wait"))
            finally:
                raise ValueError("own")

        task = threads.start(function)
        await threads.arrive()
        task.cancel()
        await asyncio.wait([task])
        assert isinstance(task.exception(), ValueError)


async def test_post_and_failed_delivery() -> None:
    """What is posted is delivered while the function goes on; a failed delivery does not cut it."""

    async def deliver(item: str) -> None:
        log.append(item)
        raise RuntimeError("the server's own")

    log: list[str] = []
    async with open_threads() as threads:

        def function() -> None:
            run.post("posted")
            with shielded():
                log.append(await_(echo("closed")))

        run = ThreadRun(threads.lease, function, deliver)
        with pytest.raises(RuntimeError, match="own"):
            await run.drive()
    assert sorted(log) == ["closed", "posted"]


async def test_driven_code_in_threads_of_driven_code() -> None:
    """`run_sync` below a request greenlet of the loop lane gives the loop away meanwhile."""
    may_end = threading.Event()
    async with open_threads():

        def view() -> Any:
            return await_(run_sync(lambda: may_end.wait(timeout=60)))

        async def coroutine() -> Any:
            return view()

        task = asyncio.ensure_future(carry(coroutine()))
        await settle()
        may_end.set()
        assert await task is True


async def test_call_in_thread_on_the_loop() -> None:
    """Sync code on the loop has a function called in the request's thread, in its own Context."""
    may_end = threading.Event()

    def function(name: str, *, greeting: str) -> tuple[int, str]:
        assert may_end.wait(timeout=60)
        return threading.get_ident(), f"{greeting}, {name}: {variable.get()}"

    def fail() -> None:
        raise LookupError("own")

    async with open_threads() as threads:

        async def view() -> tuple[int, str]:
            variable.set("inside")
            with pytest.raises(LookupError, match="own"):
                call_in_thread(fail)
            return call_in_thread(function, "you", greeting="hello")

        task = asyncio.ensure_future(carry(view()))
        await settle()
        may_end.set()  # only a loop that is free comes here
        ident, said = await task
        assert said == "hello, you: inside"
        assert ident == await threads.start(threading.get_ident)
        assert ident != threading.get_ident()


async def test_call_in_thread_in_the_thread_lane() -> None:
    """In a request's thread the function is called there, without a turn of the loop."""
    async with open_threads() as threads:
        own, other = await threads.start(
            lambda: (threading.get_ident(), call_in_thread(threading.get_ident))
        )
        assert own == other


def test_call_in_thread_without_a_loop() -> None:
    """In a command or a test the function is called at once, in the caller's thread."""
    assert call_in_thread(threading.get_ident) == threading.get_ident()


async def test_call_in_thread_outside_of_a_request() -> None:
    """In a callback of the loop there is no request that could wait, and the error says so."""
    portal.adopt(asyncio.get_running_loop())
    with pytest.raises(AwaitOnLoopError):
        call_in_thread(int)
