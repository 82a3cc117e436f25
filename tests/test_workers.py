"""`flasync.workers`: threads that are lent out, in turn, and end."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conftest import find_threads, settle
from flasync.workers import DEFAULT_THREADS, Stretch, WorkerPool, get_pool, give_up_pool


@asynccontextmanager
async def open_pool(size: int) -> AsyncGenerator[WorkerPool]:
    """A pool that is closed at the end, when nobody holds a worker any more."""
    pool = WorkerPool(size)
    yield pool
    await pool.close(30)
    assert find_threads() == []


async def run(worker: Any, function: Callable[[], Any]) -> Any:
    """Run a function as a stretch of its own and return what it returns."""
    stretch = Stretch(asyncio.get_running_loop())
    worker.begin(stretch, function)
    await stretch.wait_end()
    if stretch.error is not None:
        raise stretch.error
    return stretch.value


# --- stretches ----------------------------------------------------------------------------------


async def test_stretches_run_in_order_in_one_thread() -> None:
    """A worker runs one stretch after another, in its own thread."""
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        log: list[int] = []
        stretches = [Stretch(asyncio.get_running_loop()) for _ in range(5)]
        for number, stretch in enumerate(stretches):
            worker.begin(stretch, lambda n=number: log.append(n) or threading.get_ident())
        for stretch in stretches:
            await stretch.wait_end()
        assert log == list(range(5))
        assert {stretch.value for stretch in stretches} != {threading.get_ident()}
        assert len({stretch.value for stretch in stretches}) == 1
        pool.release(worker)


@pytest.mark.parametrize("error", [ValueError("v"), SystemExit(3), KeyboardInterrupt()])
async def test_a_stretch_that_fails(error: BaseException) -> None:
    """Whatever a stretch raises is the loop's to know; the thread lives on."""

    def fail() -> None:
        raise error

    async with open_pool(1) as pool:
        worker = await pool.acquire()
        with pytest.raises(type(error)):
            await run(worker, fail)
        assert await run(worker, lambda: "alive") == "alive"
        pool.release(worker)


async def test_post() -> None:
    """What a stretch posts is there while the stretch still runs."""
    may_end = threading.Event()
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        stretch = Stretch(asyncio.get_running_loop())

        def function() -> str:
            stretch.post("posted")
            assert may_end.wait(timeout=60)
            return "ended"

        worker.begin(stretch, function)
        assert await stretch.wait_news() is False
        assert (stretch.posted, stretch.ended) == ("posted", False)
        may_end.set()
        assert await stretch.wait_end() is False
        assert stretch.value == "ended"
        pool.release(worker)


async def test_cancelled_while_a_stretch_runs() -> None:
    """A cancellation does not end the wait for a thread at work; it is reported, once."""
    may_end = threading.Event()
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        stretch = Stretch(asyncio.get_running_loop())
        worker.begin(stretch, lambda: may_end.wait(timeout=60))
        task = asyncio.ensure_future(stretch.wait_end())
        for _ in range(3):
            await settle()
            task.cancel()
        await settle()
        assert not task.done()
        may_end.set()
        assert await task is True
        pool.release(worker)


def test_loop_closed_under_a_stretch() -> None:
    """A thread that ends its work after its loop was closed complains to nobody."""
    may_end, has_ended = threading.Event(), threading.Event()

    async def begin() -> WorkerPool:
        pool = WorkerPool(1)
        worker = await pool.acquire()
        worker.begin(Stretch(asyncio.get_running_loop()), lambda: may_end.wait(timeout=60))
        worker.begin(Stretch(asyncio.get_running_loop()), has_ended.set)
        pool.release(worker)
        return pool

    pool = asyncio.run(begin())
    may_end.set()
    assert has_ended.wait(timeout=60)
    pool.abandon()


# --- pools --------------------------------------------------------------------------------------


async def test_threads_start_as_they_are_needed() -> None:
    """A request at a time needs one thread, however many there may be."""
    async with open_pool(10) as pool:
        for _ in range(5):
            pool.release(await pool.acquire())
        assert len(find_threads()) == 1
        workers = [await pool.acquire() for _ in range(3)]
        assert len(find_threads()) == len(set(workers)) == 3
        for worker in workers:
            pool.release(worker)


async def test_waiting_in_line() -> None:
    """When all are lent out, the first to come is the first to get one."""
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        assert not pool.is_free
        log: list[int] = []

        async def take(number: int) -> None:
            pool.release(await pool.acquire())
            log.append(number)

        tasks = [asyncio.ensure_future(take(number)) for number in range(4)]
        await settle()
        assert log == []
        pool.release(worker)
        await asyncio.gather(*tasks)
        assert log == [0, 1, 2, 3]
        assert pool.is_free


async def test_cancelled_in_line() -> None:
    """Who is cancelled in line is passed over."""
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        first, second = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
        await settle()
        first.cancel()
        pool.release(worker)
        assert await second is worker
        assert first.cancelled()
        pool.release(worker)


async def test_cancelled_at_ones_turn() -> None:
    """Who is cancelled in the moment of the turn passes the worker on: it is not lost."""
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        first, second = [asyncio.ensure_future(pool.acquire()) for _ in range(2)]
        await settle()
        pool.release(worker)
        first.cancel()
        assert await second is worker
        pool.release(worker)
        assert pool.is_free


async def test_returning_to_one_worker() -> None:
    """Who wants a certain worker waits for that one, and in turn with the newcomers."""
    async with open_pool(1) as pool:
        worker = await pool.acquire()
        pool.host(worker)
        newcomer = asyncio.ensure_future(pool.acquire())
        await settle()
        returning = asyncio.ensure_future(pool.acquire(worker))
        await settle()
        pool.release(worker)
        assert await newcomer is worker
        assert not returning.done()
        pool.release(worker)
        assert await returning is worker
        pool.release(worker)
        pool.unhost(worker)


async def test_a_worker_that_hosts_nobody_comes_first() -> None:
    """A new request takes a thread of its own before it shares one with a resting stream."""
    async with open_pool(2) as pool:
        hosting = await pool.acquire()
        pool.host(hosting)
        pool.release(hosting)
        other = await pool.acquire()
        assert other is not hosting
        assert await pool.acquire() is hosting
        pool.release(hosting)
        pool.release(other)
        pool.unhost(hosting)


async def test_close_waits_for_workers_at_work() -> None:
    """A worker that is lent out ends when it is given back, and the closing waits for that."""
    pool = WorkerPool(2)
    worker = await pool.acquire()
    pool.release(await pool.acquire())
    closing = asyncio.ensure_future(pool.close(None))
    await settle()
    assert not closing.done()
    assert len(find_threads()) == 1
    assert await run(worker, lambda: "still at work") == "still at work"
    pool.release(worker)
    await closing
    assert find_threads() == []


async def test_close_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """After its time the closing ends and says what is left; that ends when it is given back."""
    pool = WorkerPool(1)
    worker = await pool.acquire()
    await pool.close(0.001)
    assert "1 worker threads were still at work" in caplog.text
    pool.release(worker)
    assert find_threads() == []


async def test_pools_are_shared() -> None:
    """Apps on one loop with as many threads share them; the last one to go ends them."""
    pool = get_pool(3)
    assert get_pool(3) is pool
    assert get_pool(2) is not pool
    assert get_pool().size == DEFAULT_THREADS
    pool.users += 2
    pool.release(await pool.acquire())
    await give_up_pool(pool, 30)
    assert len(find_threads()) == 1
    await give_up_pool(pool, 30)
    assert find_threads() == []
    assert get_pool(3) is not pool


def test_pools_of_closed_loops_are_abandoned() -> None:
    """The threads of a loop that ended without a word end when the next loop wants some."""

    async def use() -> None:
        pool = get_pool(1)
        pool.release(await pool.acquire())

    async def use_and_close() -> None:
        pool = get_pool(1)
        pool.users += 1
        await give_up_pool(pool, 30)

    asyncio.run(use())
    assert len(find_threads()) == 1
    asyncio.run(use_and_close())
    assert find_threads() == []
