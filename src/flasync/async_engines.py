"""SQLAlchemy's async drivers under sync code, outside requests as well as inside.

In a request, SQLAlchemy waits through the request greenlet, by a protocol of its own: the greenlet
carries `__sqlalchemy_greenlet_provider__`, and its parent takes the awaitable. Everywhere else (a
CLI command, a test, code at import time, a background thread, a WSGI worker) its `await_` finds a
thread's main greenlet and raises `MissingGreenlet`.

`install` closes that gap, in SQLAlchemy 2.0 (2.0.44 or later) and 2.1, by replacing four names:

* `getcurrent`, as its concurrency module looks it up. Every wait of every dialect asks it "which
  greenlet is this?"; where no greenlet waits for anybody, the answer is a stand-in whose waits end
  in `bridge.await_`.
* `AsyncAdaptedQueue._queue` and `AsyncAdaptedLock.mutex`, which make asyncio's queue and lock when
  they are first used: sessions in worker threads give connections back to a pool whose waiters are
  on the loop, which asyncio's own forbid. Theirs are replaced by loop-free ones.
* `AsyncAdapt_terminate.terminate`, which makes a task and so runs on the loop only.

The public seams do not reach that far. A `CreateEnginePlugin` must be named in the URL or the call
and comes too late for engines that exist already; the events of dialects and pools tell of a
connection that is made, while the waits are in its methods; a dialect of our own under the same
name (`registry.register`) would need copies of every driver's connection and cursor classes.

All connections live on the process's one loop. When that loop ends (an import-time loop gives way
to the server's, serving ends, the process exits), the connections made on it are closed on it
first. A loop that ended without a word is noticed when the pool hands out a connection of it: a
new one is made. A forked child leaves its parent's connections alone and makes its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import os
import sys
import threading
import warnings
from asyncio import events
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

import sqlalchemy
from greenlet import getcurrent
from sqlalchemy import event, util
from sqlalchemy.connectors import asyncio as connectors
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.util import concurrency, queue

from flasync import portal
from flasync.bridge import await_, drive
from flasync.loop_free import LoopFreeLock, LoopFreeQueue

_MARK = "__sqlalchemy_greenlet_provider__"
# Where a pool's record keeps the loop on which its connection was made.
_HOME = "flasync.loop"

_records: WeakSet[Any] = WeakSet()  # of ConnectionPoolEntry, which declares no weak references
_records_guard = threading.RLock()  # re-entrant for the garbage collector's sake
_closing: set[asyncio.Task[None]] = set()


def install() -> None:
    """Make SQLAlchemy's async drivers work in sync code of any thread."""
    holder: Any = sys.modules.get("sqlalchemy.util._concurrency_py3k")  # 2.0
    if holder is None:
        holder = getattr(concurrency, "_concurrency_shim", None)  # 2.1
    terminate = getattr(connectors, "AsyncAdapt_terminate", None)
    if not hasattr(holder, "getcurrent") or terminate is None:
        warnings.warn(
            f"flasync does not know SQLAlchemy {sqlalchemy.__version__}: its async drivers work in "
            "requests, and nowhere else. Install SQLAlchemy 2.0 (2.0.44 or later) or 2.1.",
            RuntimeWarning,
            stacklevel=2,
        )
        return
    holder.getcurrent = _getcurrent
    queue.AsyncAdaptedQueue._queue = util.memoized_property(_queue)  # type: ignore[method-assign]
    concurrency.AsyncAdaptedLock.mutex = util.memoized_property(mutex)  # type: ignore[method-assign]
    terminate.terminate = _build_terminate(terminate.terminate)
    event.listen(Pool, "connect", _note_connection)
    portal.close_at_end(close_connections)
    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(after_in_child=_leave_to_parent)


class _Anywhere:
    """Stands in for the request greenlet, and its parent, of code that has none."""

    __sqlalchemy_greenlet_provider__ = True
    switch = staticmethod(await_)

    @property
    def parent(self) -> _Anywhere:
        return self


_anywhere = _Anywhere()


def _getcurrent() -> Any:
    """Return the current greenlet, or a stand-in where SQLAlchemy would find that it cannot wait.

    On the process's loop itself nobody can wait, and it is told so. A coroutine that asks is
    `greenlet_spawn`, which wants a parent for a greenlet of its own.
    """
    current = getcurrent()
    if getattr(current, _MARK, False):
        return current
    running = events._get_running_loop()
    if running is not None and (
        portal.is_process_loop(running) or sys._getframe(1).f_code.co_flags & inspect.CO_COROUTINE
    ):
        return current
    return _anywhere


# --- what a pool is made of --------------------------------------------------------------------


class PoolQueue(LoopFreeQueue[ConnectionPoolEntry]):
    """The connections of a pool that are at rest."""

    def get_nowait(self) -> ConnectionPoolEntry:
        """Take a record, without its connection if that is of another loop than the caller's."""
        record = super().get_nowait()
        home = record.info.get(_HOME)
        if home is not None and home is not portal.find_loop():
            _retire(record, home)
        return record


# A memoized property is stored under the name of its function, and only after it has returned: so
# of two threads that come first at once, both must get the same object.


def _queue(adapter: Any) -> Any:
    made = PoolQueue(adapter.maxsize, is_lifo=adapter.use_lifo)
    return vars(adapter).setdefault("_queue", made)


def mutex(adapter: Any) -> Any:
    """Return the lock of an `AsyncAdaptedLock`."""
    return vars(adapter).setdefault("mutex", LoopFreeLock())


# --- a connection's life -----------------------------------------------------------------------


def _note_connection(connection: Any, record: ConnectionPoolEntry) -> None:
    """Remember the loop of a new connection; a listener of the pool's "connect" event."""
    if not isinstance(connection, AdaptedConnection):
        return
    if hasattr(connection, "_execute_mutex"):
        # Several sessions share the one connection of a StaticPool, perhaps on loop after loop.
        connection._execute_mutex = LoopFreeLock()
    driver = type(connection.driver_connection).__module__.partition(".")[0]
    if driver != "aiosqlite":  # a thread, which serves any loop
        record.info[_HOME] = portal.find_loop()
    with _records_guard:
        _records.add(record)


def _build_terminate(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def terminate(self: Any) -> None:
        """Close a connection without regard to what it does.

        In a thread the loop is asked to, and not waited for: this may be the garbage collector's
        doing, in the middle of anything.
        """
        loop = portal.find_loop()
        if loop is events._get_running_loop():
            original(self)
        else:
            loop.call_soon_threadsafe(_start_closing, partial(original, self))

    return terminate


def _start_closing(close: Callable[[], None]) -> None:
    """Close something in a task of its own. Runs in: the event loop."""

    async def run() -> None:
        await drive(close)

    task = asyncio.get_running_loop().create_task(run())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


def _retire(record: Any, home: asyncio.AbstractEventLoop) -> None:
    """Take a record's connection away and have its own loop close it, if that still runs."""
    connection = record.dbapi_connection
    record.dbapi_connection = None
    record.info.clear()
    if connection is not None and home.is_running():
        home.call_soon_threadsafe(_start_closing, connection.terminate)


async def close_connections() -> None:
    """Close every connection that was made on the running loop. Runs in: the event loop.

    A connection that a session still holds is lost to it, as if the server had closed it. An
    in-memory SQLite database ends with its connection, and needs no loop: it stays.
    """
    loop = asyncio.get_running_loop()
    with _records_guard:
        records = list(_records)
    for record in records:
        if record.info.get(_HOME) is loop:
            await drive(record.invalidate if record.in_use else record.close)
    here = [task for task in _closing if task.get_loop() is loop]
    await asyncio.gather(*here)


def _leave_to_parent() -> None:
    """Forget the parent's connections in a forked child.

    They are never freed: their finalizers would work on sockets and on a selector that are the
    parent's as well, or fail while the child's interpreter ends.
    """
    global _records_guard  # noqa: PLW0603  whoever held it is not here
    _records_guard = threading.RLock()
    _closing.clear()
    for record in list(_records):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(record.dbapi_connection))
        record.dbapi_connection = None
        record.info.clear()
