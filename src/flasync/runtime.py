"""What exists while an app is served on a loop: its settings, its threads, its lifespan."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from flask import Flask

from flasync import instruments, portal
from flasync.bridge import enable_child_tasks
from flasync.lifespan import Lifespan, ServingHooks
from flasync.settings import read_settings
from flasync.stalls import log_stall, unwatch_loop, watch_loop
from flasync.threads import Lease, current_lease
from flasync.workers import get_pool, give_up_pool

_log = logging.getLogger("flasync")


class Runtime:
    """An app being served on the running loop.

    Args:
        app: The Flask object.
        hooks: Its serving hooks.

    Raises:
        SettingError: A setting in `app.config` has a wrong value.
    """

    def __init__(self, app: Flask, hooks: ServingHooks) -> None:
        self.loop = asyncio.get_running_loop()
        self.settings = read_settings(app.config)
        self.pool = get_pool(self.settings.worker_threads)
        self._app = app
        self._lifespan = Lifespan(app, hooks)
        self._startup: asyncio.Task[None] | None = None
        self._under_way = 0
        self._idle = asyncio.Event()

    @property
    def has_failed(self) -> bool:
        """Whether startup has ended in an error."""
        task = self._startup
        return task is not None and task.done() and (task.cancelled() or bool(task.exception()))

    async def start(self) -> None:
        """Run the hooks of startup, once; every caller returns when they have run."""
        if self._startup is None:
            self._startup = self.loop.create_task(self._begin())
        await asyncio.shield(self._startup)

    def enter(self) -> None:
        """Count a request in."""
        self._under_way += 1

    def leave(self) -> None:
        """Count a request out."""
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    async def stop(self) -> None:
        """Wait for requests under way, run the hooks of shutdown, end the threads."""
        try:
            await self._drain(self.settings.graceful_timeout_s)
            async with self._lend_thread():
                await self._lifespan.shutdown()
        finally:
            await self._end()

    async def _begin(self) -> None:
        self.pool.users += 1
        instruments.load_watcher(self._app)
        portal.adopt(self.loop)
        enable_child_tasks(self.loop)
        if self.settings.stall_warning_s is not None:
            watch_loop(self.settings.stall_warning_s, log_stall(self._app.logger))
        try:
            async with self._lend_thread():
                await self._lifespan.startup()
        except BaseException:
            await self._end()
            raise

    async def _end(self) -> None:
        """Undo what `_begin` began."""
        await give_up_pool(self.pool, self.settings.graceful_timeout_s)
        if self.settings.stall_warning_s is not None:
            unwatch_loop()
        await portal.close_clients(self.loop)
        portal.release(self.loop)

    @asynccontextmanager
    async def _lend_thread(self) -> AsyncGenerator[None, None]:
        """Have hooks, and the tasks that they make, use this app's threads."""
        lease = Lease(self.pool)
        token = current_lease.set(lease)
        try:
            yield
        finally:
            current_lease.reset(token)
            lease.close()

    async def _drain(self, timeout_s: float | None) -> None:
        if not self._under_way:
            return
        self._idle.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            _log.warning(
                "%d requests were still under way %s s after shutdown began "
                "(app.config['GRACEFUL_TIMEOUT']). They are left to the server.",
                self._under_way,
                timeout_s,
            )
