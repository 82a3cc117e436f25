"""What a request waits for, in words."""

from __future__ import annotations

import asyncio
from types import CoroutineType, FrameType
from typing import Any

from flasync.toolkit.report.wording import join
from flasync.toolkit.tracing.places import name_call

_IN_WORDS = {
    "flasync.run_sync": "its worker thread",
    "asyncio.sleep": "a timer, `asyncio.sleep`",
    "asyncio.TaskGroup.__aexit__": "the tasks of its `asyncio.TaskGroup`",
}
# Tasks that are named when several are waited for at once.
_MOST_NAMED = 4


def describe_awaited(awaited: object, inside: list[FrameType]) -> str:
    """Return what is waited for.

    Args:
        awaited: What the greenlet has handed up.
        inside: The frames of libraries that the project's own code has called, outermost first.
    """
    tasks = [awaited] if isinstance(awaited, asyncio.Task) else _list_children(awaited)
    if tasks:
        names = [f"`{_name_task(task)}`" for task in tasks[:_MOST_NAMED]]
        if len(tasks) > _MOST_NAMED:
            names.append("…")
        noun = "task" if len(tasks) == 1 else f"{len(tasks)} tasks"
        return f"{noun} {join(names)}"
    if inside:
        outer = name_call(inside[0])
        inner = name_call(_get_innermost(awaited) or inside[-1])
        if outer in _IN_WORDS:
            return _IN_WORDS[outer]
        through = inner.partition(".")[0]
        is_far = through not in {outer.partition(".")[0], "asyncio"}
        return f"`{outer}`{f', by {through}' if is_far else ''}"
    if isinstance(awaited, CoroutineType):
        frame = awaited.cr_frame
        return f"`{name_coroutine(awaited) if frame is None else name_call(frame)}`"
    return "its next turn on the loop" if awaited is None else "a future"


def _get_innermost(awaited: object) -> FrameType | None:
    """Return the frame of a coroutine that was handed up as a whole, as SQLAlchemy does it."""
    return awaited.cr_frame if isinstance(awaited, CoroutineType) else None


def _list_children(awaited: object) -> list[asyncio.Task[Any]]:
    """Return the tasks that `asyncio.gather` waits for."""
    children = getattr(awaited, "_children", None)
    if not isinstance(children, list):
        return []
    return [item for item in children if isinstance(item, asyncio.Task)]


def _name_task(task: asyncio.Task[Any]) -> str:
    return name_coroutine(find_carried(task) or task.get_coro())


def find_carried(task: asyncio.Task[Any]) -> CoroutineType[Any, Any, Any] | None:
    """Return the coroutine that a task was made for, which the bridge carries in one of its own."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    carried = None if frame is None else frame.f_locals.get("awaitable")
    return carried if isinstance(carried, CoroutineType) else None


def name_coroutine(coroutine: Any) -> str:
    """Return the name of a coroutine's function."""
    return str(getattr(coroutine, "__qualname__", "task")).replace(".<locals>", "")
