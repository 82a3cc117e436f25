"""Awaiting to the end, whatever comes: how an awaitable ended, as a value to pass on."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an awaitable ended: with a value, or with an exception of any kind."""

    value: Any = None
    error: BaseException | None = None

    def unwrap(self) -> Any:
        """Return the value or raise the exception."""
        if self.error is not None:
            raise self.error
        return self.value


async def capture(awaitable: Awaitable[Any]) -> Outcome:
    """Await to the end and return how it ended.

    A task that ends with SystemExit or KeyboardInterrupt takes its whole loop down; the code that
    waits for it is where they belong.
    """
    try:
        return Outcome(await awaitable)
    except BaseException as error:
        return Outcome(error=error)


def spawn(
    coroutine: Coroutine[Any, Any, T], context: contextvars.Context | None
) -> asyncio.Task[T]:
    """Return a task that runs `coroutine` in `context`, the caller's own included.

    A task factory is passed by: an eager one would enter the Context that is entered here.
    """
    return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), context=context)


async def outwait(
    awaitable: Awaitable[T], context: contextvars.Context | None
) -> tuple[Outcome, bool]:
    """Await to the end, whatever cancellations come; return how it ended, and whether one came."""
    task = spawn(capture(awaitable), context)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    return task.result(), cancelled


def discard(awaitable: Any) -> None:
    """Give up an awaitable that nobody will await: close a coroutine, cancel a future."""
    for name in ("cancel", "close"):
        method = getattr(awaitable, name, None)
        if method is not None:
            method()
            return
