"""A queue and a lock for tasks of any loop and code of any thread.

asyncio's own belong to the loop of the first task that waits for them, and may be used in that
loop's thread alone: to release one elsewhere wakes nobody, or corrupts the loop. These wake each
waiter through its own loop. A thread never blocks on them for longer than a few instructions.
"""

from __future__ import annotations

import asyncio
import os
import threading
from asyncio import events
from collections import deque
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class _Line:
    """Tasks that wait for their turn, first come first served.

    The guard is re-entrant: the garbage collector may run a finalizer in the middle of our code
    which gives something back to the very queue that its thread is at work on.
    """

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self._waiting: deque[asyncio.Future[None]] = deque()
        _lines.add(self)

    def join(self, future: asyncio.Future[None]) -> None:
        """Stand in line. The caller holds the guard and made the future before."""
        self._waiting.append(future)

    async def wait(self, future: asyncio.Future[None]) -> None:
        """Wait to be called; a call that comes too late is passed on."""
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled():
                self.call_next()
            raise

    def call_next(self) -> None:
        """Wake whoever has waited longest. Runs in: any thread."""
        while True:
            try:
                future = self._waiting.popleft()
            except IndexError:
                return
            loop = future.get_loop()
            if loop is events._get_running_loop():
                if not future.done():
                    future.set_result(None)
                    return
                continue
            try:
                loop.call_soon_threadsafe(self._call, future)
            except RuntimeError:  # its loop is closed: nobody waits there any more
                continue
            return

    def _call(self, future: asyncio.Future[None]) -> None:
        if future.done():  # cancelled on the way
            self.call_next()
        else:
            future.set_result(None)

    def forget(self) -> None:
        """Start anew in a forked child: whoever held the guard or waited is not here."""
        self.guard = threading.RLock()
        self._waiting.clear()


_lines: WeakSet[_Line] = WeakSet()


class LoopFreeQueue(Generic[T]):
    """A bounded queue: the part of `asyncio.Queue` that a connection pool uses.

    Args:
        maxsize: The most items that it holds; 0 for any number.
        is_lifo: Whether the item that was put last comes first.
    """

    def __init__(self, maxsize: int = 0, *, is_lifo: bool = False) -> None:
        self.maxsize = maxsize
        self._items: deque[T] = deque()
        self._take = self._items.pop if is_lifo else self._items.popleft
        self._line = _Line()

    def qsize(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def empty(self) -> bool:
        """Whether there is no item now."""
        return not self._items

    def full(self) -> bool:
        """Whether no further item can be put now."""
        return 0 < self.maxsize <= len(self._items)

    def put_nowait(self, item: T) -> None:
        """Put an item. Runs in: any thread.

        Raises:
            asyncio.QueueFull: There is no room.
        """
        with self._line.guard:
            if self.full():
                raise asyncio.QueueFull
            self._items.append(item)
            self._line.call_next()

    def get_nowait(self) -> T:
        """Take an item. Runs in: any thread.

        Raises:
            asyncio.QueueEmpty: There is none.
        """
        try:
            return self._take()
        except IndexError:
            raise asyncio.QueueEmpty from None

    async def get(self) -> T:
        """Take an item, and wait while there is none."""
        loop = asyncio.get_running_loop()
        while True:
            # Made before the look at the items: an allocation may start the garbage collector,
            # and a finalizer there may put an item after our look and before we stand in line.
            future = loop.create_future()
            with self._line.guard:
                try:
                    return self.get_nowait()
                except asyncio.QueueEmpty:
                    self._line.join(future)
            await self._line.wait(future)


class LoopFreeLock:
    """A lock: what is used of `asyncio.Lock`; it may be released in another thread."""

    def __init__(self) -> None:
        self._is_held = False
        self._line = _Line()

    async def acquire(self) -> bool:
        """Take the lock, and wait while somebody holds it."""
        if self._try_acquire():
            return True
        loop = asyncio.get_running_loop()
        while True:
            future = loop.create_future()  # before the look at the lock: see LoopFreeQueue.get
            with self._line.guard:
                if self._try_acquire():
                    return True
                self._line.join(future)
            await self._line.wait(future)

    def _try_acquire(self) -> bool:
        with self._line.guard:
            if self._is_held:
                return False
            self._is_held = True
            return True

    def release(self) -> None:
        """Give the lock back. Runs in: any thread."""
        with self._line.guard:
            self._is_held = False
            self._line.call_next()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: Any) -> None:
        self.release()


def _forget_after_fork() -> None:
    for line in list(_lines):
        line.forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_after_fork)
