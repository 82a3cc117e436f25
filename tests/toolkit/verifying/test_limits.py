"""`verifying.limits`: what a waiting stack waits for."""

import pytest

from flasync.toolkit.verifying.limits import find_limit


@pytest.mark.parametrize(
    ("functions", "kind"),
    [
        (["asyncio.locks:Lock.acquire"], "lock"),
        (["asyncio.locks:Lock.acquire", "flasync.bridge:_step", "flasync.bridge:await_"], "lock"),
        (["asyncio.locks:Lock.acquire", "httpcore._async.http11:handle"], ""),
        (["flasync.loop_free:LoopFreeLock.acquire"], "lock"),
        (["asyncio.locks:Semaphore.acquire"], "semaphore"),
        (["threading:BoundedSemaphore.acquire"], "semaphore"),
        (["threading:Condition.wait", "threading:Semaphore.acquire"], "semaphore"),
        (["threading:Condition.wait", "sqlalchemy.util.queue:Queue.get"], "pool"),
        (
            [
                "flasync.loop_free:LoopFreeQueue.get",
                "sqlalchemy.util.queue:AsyncAdaptedQueue.get",
                "sqlalchemy.pool.impl:QueuePool._do_get",
            ],
            "pool",
        ),
        (
            ["asyncio.locks:Lock.acquire", "asyncpg.pool:Pool._acquire.<locals>._acquire_impl"],
            "pool",
        ),
        (["asyncio.tasks:sleep"], ""),
        (["threading:Condition.wait", "threading:Event.wait"], ""),
        (["shop.sqlalchemy:get"], ""),
        ([], ""),
    ],
)
def test_stacks(functions: list[str], kind: str) -> None:
    """A pool is known by its own functions, whatever lock it is made of."""
    assert find_limit(functions) == kind


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("lock.acquire", "lock"),
        ("self._lock.acquire", "lock"),
        ("stock_lock", "lock"),
        ("Lock", "lock"),
        ("clock.acquire", ""),
        ("block", ""),
        ("requests.get", ""),
        ("", ""),
    ],
)
def test_locks_without_a_frame(call: str, kind: str) -> None:
    """A lock of C has no frame: the name in the source tells it."""
    assert find_limit([], call) == kind
