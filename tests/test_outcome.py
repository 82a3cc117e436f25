"""`flasync.outcome`: awaiting to the end, whatever comes."""

import asyncio
import contextvars

import greenlet
import pytest

from conftest import settle
from flasync.outcome import Outcome, capture, discard, outwait, spawn


async def wait(future: "asyncio.Future[str]") -> str:
    """Wait for a future."""
    return await future


async def test_capture() -> None:
    """A value or an exception of any kind comes back as a value."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.set_result("value")
    assert await capture(wait(future)) == Outcome("value")
    for error in (ValueError("v"), SystemExit(3), asyncio.CancelledError()):

        async def fail(error: BaseException = error) -> None:
            raise error

        outcome = await capture(fail())
        assert outcome.error is error
        with pytest.raises(type(error)):
            outcome.unwrap()


async def test_spawn_in_the_callers_context() -> None:
    """A spawned task runs in the very Context it is given, the caller's own included."""
    context = greenlet.getcurrent().gr_context
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def change() -> None:
        variable.set("changed")

    await spawn(change(), context)
    assert variable.get() == "changed"


async def test_outwait() -> None:
    """It waits through cancellations, and reports whether one came."""
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(outwait(wait(future), None))
    for _ in range(3):
        await settle()
        task.cancel()
    await settle()
    assert not task.done()
    future.set_result("value")
    assert await task == (Outcome("value"), True)


async def test_outwait_in_peace() -> None:
    """Without a cancellation none is reported."""
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    future.set_result("value")
    assert await outwait(wait(future), None) == (Outcome("value"), False)


async def test_discard() -> None:
    """A coroutine is closed, a future and a task are cancelled, anything else is left alone."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()
    task = loop.create_task(wait(loop.create_future()))
    coroutine = wait(future)
    for awaitable in (future, task, coroutine, object()):
        discard(awaitable)
    await settle()
    assert future.cancelled()
    assert task.cancelled()
    assert coroutine.cr_frame is None
