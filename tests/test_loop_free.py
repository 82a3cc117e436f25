"""A queue and a lock for any loop and any thread."""

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from flasync.loop_free import LoopFreeLock, LoopFreeQueue


def run_loops(make: Callable[[int], Any], count: int) -> None:
    """Run a coroutine on each of several loops, in threads of their own, at once."""
    threads = [
        threading.Thread(target=lambda number=number: asyncio.run(make(number)))
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("is_lifo", [False, True])
def test_order(is_lifo: bool) -> None:
    """Items come in the order that was asked for; what is full and what is empty says so."""
    queue: LoopFreeQueue[int] = LoopFreeQueue(2, is_lifo=is_lifo)
    assert queue.empty()
    queue.put_nowait(1)
    queue.put_nowait(2)
    assert queue.full()
    assert queue.qsize() == 2
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(3)
    assert [queue.get_nowait(), queue.get_nowait()] == ([2, 1] if is_lifo else [1, 2])
    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()


async def test_an_item_from_a_thread_wakes_the_waiter() -> None:
    """A loop that sleeps in its selector hears of it."""
    queue: LoopFreeQueue[str] = LoopFreeQueue()
    waiter = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    await asyncio.to_thread(queue.put_nowait, "item")
    assert await waiter == "item"


async def test_a_cancelled_waiter_passes_its_call_on() -> None:
    """Whoever is cancelled when its item has come leaves it to the next in line."""
    queue: LoopFreeQueue[str] = LoopFreeQueue()
    first, second = asyncio.ensure_future(queue.get()), asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait("item")
    first.cancel()
    assert await second == "item"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_waiter_cancelled_before_is_passed_over() -> None:
    """The item goes to one who still waits."""
    queue: LoopFreeQueue[str] = LoopFreeQueue()
    first, second = asyncio.ensure_future(queue.get()), asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    first.cancel()
    queue.put_nowait("item")
    assert await second == "item"


def test_many_loops_share_few_items() -> None:
    """Each item is in one pair of hands at a time, and none gets lost, whoever gives up."""
    queue: LoopFreeQueue[int] = LoopFreeQueue(3)
    for item in range(3):
        queue.put_nowait(item)
    taken: dict[int, int] = {}
    shared: list[int] = []

    async def use(number: int) -> None:
        chance = random.Random(number)

        async def borrow() -> None:
            item = await queue.get()
            if taken.setdefault(item, number) != number:
                shared.append(item)
            try:
                await asyncio.sleep(0)
            finally:
                del taken[item]
                queue.put_nowait(item)

        for _ in range(200):
            task = asyncio.ensure_future(borrow())
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                task.cancel()
            await asyncio.wait([task])

    run_loops(use, 4)
    assert shared == []
    assert sorted(queue.get_nowait() for _ in range(3)) == [0, 1, 2]


def test_a_waiter_of_a_closed_loop_is_passed_over() -> None:
    """A loop that ended with a waiter in line does not take the item with it."""
    queue: LoopFreeQueue[str] = LoopFreeQueue()
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(queue.get())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    async def main() -> str:
        waiter = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        queue.put_nowait("item")
        return await waiter

    assert asyncio.run(main()) == "item"
    abandoned._log_destroy_pending = False  # type: ignore[attr-defined]  # that was the point


def test_a_lock_across_loops_and_threads() -> None:
    """One holder at a time, on whichever loop; released in a thread that has none."""
    lock = LoopFreeLock()
    holders: list[int] = []
    most: list[int] = []

    async def use(number: int) -> None:
        for _ in range(100):
            await lock.acquire()
            holders.append(number)
            most.append(len(holders))
            await asyncio.sleep(0)
            holders.remove(number)
            if number % 2:
                lock.release()
            else:
                await asyncio.to_thread(lock.release)

    run_loops(use, 4)
    assert max(most) == 1
    assert len(most) == 400


async def test_a_lock_as_a_context_manager() -> None:
    """`async with` holds it, and gives it back after an error."""
    lock = LoopFreeLock()
    with pytest.raises(ZeroDivisionError):
        async with lock:
            waiter = asyncio.ensure_future(lock.acquire())
            await asyncio.sleep(0)
            assert not waiter.done()
            raise ZeroDivisionError
    assert await waiter
