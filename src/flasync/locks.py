"""A `threading.Lock` held across a wait: which two requests stop the event loop between them.

One request takes a lock and waits; it is switched away and keeps the lock. The next one that wants
it blocks the thread of the loop, and with it the only one who could give the lock back. Python
does not know who holds a lock. But the loop stands still while this looks, so it can be read off:
the expression at which the blocked frame stands gives the lock, and a suspended request that
stands inside a `with` of the same object is its owner.
"""

from __future__ import annotations

import ast
import linecache
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import Any

# RLock is not among them: the requests of one loop share its thread, so it never blocks them.
_LOCK_TYPES = (type(threading.Lock()), threading.Semaphore, threading.Condition)


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock that a suspended request holds while the loop waits for it.

    Attributes:
        expression: The lock, as the blocked code names it.
        owner: The request that holds it.
        taken_at: Where it took it, as "file:line in function".
        waits_at: Where it waits meanwhile, in the same form.
    """

    expression: str
    owner: str
    taken_at: str
    waits_at: str

    def __str__(self) -> str:
        """Return the sentence for the log."""
        return (
            f"It wants the lock {self.expression!r}, which {self.owner} holds since "
            f"{self.taken_at} and keeps while it waits at {self.waits_at}: neither can go on. "
            "Use an asyncio.Lock (`async with`, or flasync.await_(lock.acquire())), or put both "
            "views in threads with @flasync.in_thread."
        )


def find_held_lock(
    blocked: FrameType, suspended: Iterable[tuple[str, Iterable[FrameType]]]
) -> HeldLock | None:
    """Return the lock at which a frame stands still and who holds it, or None.

    Args:
        blocked: The innermost frame of the thread that stands still.
        suspended: The names of the requests that are switched away, with their frames.

    Runs in: any other thread, while the first stands still.
    """
    found = _find_wanted(blocked)
    if found is None:
        return None
    expression, lock = found
    for owner, frames in suspended:
        for frame in frames:
            line = _find_with(frame, lock)
            if line is not None:
                code = frame.f_code
                taken_at = f"{code.co_filename}:{line} in {code.co_name}"
                waits_at = f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
                return HeldLock(expression, owner, taken_at, waits_at)
    return None


def _find_wanted(frame: FrameType) -> tuple[str, Any] | None:
    """Return the lock whose `with` or `acquire` the frame is at, and how the code names it."""
    candidates = [
        item.context_expr
        for node in _find_withs(frame.f_code)
        if node.lineno == frame.f_lineno
        for item in node.items
    ]
    candidates += _find_acquired(frame)
    for node in candidates:
        lock = _evaluate(node, frame)
        if isinstance(lock, _LOCK_TYPES):
            return ast.unparse(node), lock
    return None


def _find_acquired(frame: FrameType) -> list[ast.expr]:
    """Return what the frame calls a method of at its current instruction, if it does that."""
    line, end_line, start, end = next(_positions(frame), (None,) * 4)
    if line is None or line != end_line or start is None or end is None:
        return []
    source = linecache.getline(frame.f_code.co_filename, line).encode()[start:end].decode()
    try:
        node = ast.parse(source, mode="eval").body
    except SyntaxError:
        return []
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return [node.func.value] if is_method else []  # type: ignore[attr-defined]  # just tested


def _positions(frame: FrameType) -> Iterator[tuple[int | None, ...]]:
    """Yield the source positions of the frame's code, from its current instruction on."""
    return islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)


def _find_with(frame: FrameType, lock: object) -> int | None:
    """Return the line of the `with` of this lock in whose body the frame is, or None."""
    for node in _find_withs(frame.f_code):
        first, last = node.body[0].lineno, node.body[-1].end_lineno or 0
        if first <= frame.f_lineno <= last:
            for item in node.items:
                if _evaluate(item.context_expr, frame) is lock:
                    return node.lineno
    return None


@lru_cache(maxsize=256)
def _find_withs(code: CodeType) -> list[ast.With]:
    """Return the `with` statements in the lines of a function."""
    lines = [line for _, _, line in code.co_lines() if line is not None]
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return []
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and min(lines) <= node.lineno <= max(lines)
    ]


def _evaluate(node: ast.expr, frame: FrameType) -> Any:
    """Return what a name or a chain of attributes is in a frame; None for anything else.

    Attributes are looked up in the objects' own dicts: no code of the app runs here.
    """
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Attribute):
        owner = _evaluate(node.value, frame)
        own = getattr(owner, "__dict__", {})
        return own.get(node.attr, vars(type(owner)).get(node.attr))
    return None
