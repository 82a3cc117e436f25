"""The process's one event loop, reachable from any thread.

While a server runs, this is the server's loop: the ASGI side calls `adopt` with it before the
first request. Before that, and in processes that serve nothing (a CLI command, a test, a WSGI
worker), it is a loop in a daemon thread that starts at the first call of `get_loop`. So every
coroutine of the app runs on one loop, and a client or a pool made once is good everywhere.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from greenlet import getcurrent

# Seconds that `adopt` waits for the thread of the background loop to end.
_STOP_TIMEOUT_S = 5.0

_log = logging.getLogger("flasync")

_closers: list[Callable[[], Awaitable[None]]] = []
_lock = threading.Lock()
_serving: asyncio.AbstractEventLoop | None = None
_apps = 0
_background: asyncio.AbstractEventLoop | None = None
_background_thread: threading.Thread | None = None


def get_loop() -> asyncio.AbstractEventLoop:
    """Return the loop on which this process runs coroutines, started if there was none.

    Runs in: any thread. Switches: never.
    """
    global _background, _background_thread  # noqa: PLW0603  the one state of the process
    loop = _serving
    if loop is not None and loop.is_running():
        return loop
    with _lock:
        if _background is None or _background.is_closed():
            _background = asyncio.new_event_loop()
            _background_thread = threading.Thread(
                target=_run_background, args=(_background,), name="flasync-loop", daemon=True
            )
            _background_thread.start()
        return _background


def is_process_loop(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether `loop` is the one of this process; unlike `get_loop`, this starts nothing."""
    return loop is _serving or loop is _background


def find_loop() -> asyncio.AbstractEventLoop:
    """Return the loop on which this code's `bridge.await_` runs: its task's, or the process's.

    Runs in: any thread. Switches: never.
    """
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return get_loop()
    if getattr(getcurrent(), "__sqlalchemy_greenlet_provider__", False):  # see BridgeGreenlet
        return running
    return running if is_process_loop(running) else get_loop()


def adopt(loop: asyncio.AbstractEventLoop) -> None:
    """Make a server's running loop the loop of this process.

    A background loop that was started before (`await_` at import time) is stopped: what was
    bound to it would otherwise live on a second loop.

    Runs in: the event loop.
    """
    global _serving, _apps  # noqa: PLW0603  the one state of the process
    if loop is _background:
        return
    _apps = _apps + 1 if loop is _serving else 1
    _serving = loop
    stop_background()


def close_at_end(closer: Callable[[], Awaitable[None]]) -> None:
    """Have `closer` awaited on each loop of this process before the loop ends."""
    _closers.append(closer)


async def close_clients(loop: asyncio.AbstractEventLoop) -> None:
    """Close what is bound to a server's loop, if only one app is still served on it.

    Runs in: the event loop, before `release`.
    """
    if _serving is loop and _apps == 1:
        await _run_closers()


async def _run_closers() -> None:
    for closer in _closers:
        try:
            await closer()
        except Exception:
            _log.exception("%r failed at the end of an event loop.", closer)


def release(loop: asyncio.AbstractEventLoop) -> None:
    """Forget a server's loop, when the last app on it is no longer served.

    Runs in: the event loop, once for each `adopt`.
    """
    global _serving, _apps  # noqa: PLW0603  the one state of the process
    if _serving is loop:
        _apps -= 1
        if not _apps:
            _serving = None


def stop_background() -> None:
    """Stop the background loop and its thread, if it runs. Runs in: any other thread."""
    global _background, _background_thread  # noqa: PLW0603  the one state of the process
    with _lock:
        loop, thread = _background, _background_thread
        _background = _background_thread = None
    if loop is None or thread is None:
        return
    with suppress(RuntimeError):  # the loop was closed by someone else: nothing is left to stop
        loop.call_soon_threadsafe(loop.stop)
    thread.join(_STOP_TIMEOUT_S)


def _run_background(loop: asyncio.AbstractEventLoop) -> None:
    """Run `loop` until it is stopped, then end what is left on it, as `asyncio.run` does."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(asyncio.sleep(0))  # what other threads have handed in meanwhile
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(_run_closers())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _forget_after_fork() -> None:
    """Drop the parent's loops: their threads do not exist in the child."""
    global _lock, _serving, _background, _background_thread  # noqa: PLW0603  as above
    _lock = threading.Lock()
    _serving = _background = _background_thread = None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_after_fork)

# A process that served nothing (a CLI command, a WSGI worker) closes its connections properly too.
atexit.register(stop_background)
