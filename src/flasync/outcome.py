"""Awaiting to the end, whatever comes: how an awaitable ended, as a value to pass on."""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Awaitable, Coroutine, Generator
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
    """Return a task that runs `coroutine` in `context`, the caller's own included; None: a copy.

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


@types.coroutine
def resume(steps: Coroutine[Any, Any, T], waited_for: Any) -> Generator[Any, Any, T]:
    """Go on with a coroutine that was stepped by hand and now waits for `waited_for`."""
    try:
        while True:
            try:
                sent = yield waited_for
            except BaseException as error:
                waited_for = steps.throw(error)
            else:
                waited_for = steps.send(sent)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # of the coroutine


@types.coroutine
def interrupt(
    steps: Coroutine[Any, Any, T], error: BaseException
) -> Generator[Any, Any, tuple[T, bool]]:
    """Await a coroutine, but raise `error` where it first has to wait, as asyncio cancels a task.

    To close the coroutine unstarted would be simpler, and would lose what it holds: awaitables
    among its arguments that then are never awaited nor closed.

    Returns:
        Its result, and whether it had to wait, so that the error was raised in it.
    """
    try:
        waited_for = steps.send(None)
    except StopIteration as stop:
        return stop.value, False
    discard(waited_for)
    try:
        waited_for = steps.throw(error)
    except StopIteration as stop:
        return stop.value, True
    return (yield from resume(steps, waited_for)), True
