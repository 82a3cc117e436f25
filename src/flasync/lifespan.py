"""Startup and shutdown: the serving hooks, on the serving loop, in an app context.

The names and the order are Quart's: `before_serving` functions, then the first halves of
`while_serving` generators, at startup; at shutdown the second halves, then `after_serving`.
A server that does not speak the lifespan protocol still gets a startup, before its first request;
it cannot tell us of its shutdown.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from flask import Flask

from flasync.bridge import carry
from flasync.errors import LifespanMisuse
from flasync.threads import run_sync

F = TypeVar("F", bound=Callable[..., Any])

_END = object()

_log = logging.getLogger("flasync")


class ServingHooks:
    """The functions to run when serving begins and ends.

    An `async def` runs on the serving loop, a plain function in a worker thread; both in the
    app's context.
    """

    def __init__(self) -> None:
        self.before: list[Callable[[], Any]] = []
        self.after: list[Callable[[], Any]] = []
        self.around: list[Callable[[], AsyncGenerator[Any, None]]] = []
        self.is_frozen = False

    def before_serving(self, func: F) -> F:
        """Register a function to run before the first request is served."""
        self._check(func, "before_serving")
        self.before.append(func)
        return func

    def after_serving(self, func: F) -> F:
        """Register a function to run after the last request was served."""
        self._check(func, "after_serving")
        self.after.append(func)
        return func

    def while_serving(self, func: F) -> F:
        """Register an async generator function: up to its one yield startup, then shutdown."""
        self._check(func, "while_serving")
        if not inspect.isasyncgenfunction(func):
            raise LifespanMisuse(
                f"while_serving got {func!r}. It needs an async generator function. Write "
                "`async def lifespan(): ...; yield; ...`."
            )
        self.around.append(func)
        return func

    def _check(self, func: Any, name: str) -> None:
        if self.is_frozen:
            raise LifespanMisuse(
                f"{name} got {func!r} after serving had begun, so it would not run. Register it "
                "when the app is built."
            )


class Lifespan:
    """One run of the serving hooks of an app.

    Args:
        app: The Flask object whose context the hooks get.
        hooks: What to run.
    """

    def __init__(self, app: Flask, hooks: ServingHooks) -> None:
        self._app = app
        self._hooks = hooks
        self._open: list[AsyncGenerator[Any, None]] = []

    async def startup(self) -> None:
        """Run the hooks of startup. When one fails, what was opened before it is closed again."""
        self._hooks.is_frozen = True
        if not (self._hooks.before or self._hooks.around):
            return  # a context that nobody needs would still be seen by teardown functions
        try:
            async with _app_context(self._app):
                for func in self._hooks.before:
                    await _call(func)
                for make in self._hooks.around:
                    generator = make()
                    if await carry(anext(generator, _END)) is _END:
                        raise LifespanMisuse(
                            f"{make!r} ended without a yield. A while_serving generator yields "
                            "once, between startup and shutdown. Add the yield, or register it "
                            "with before_serving."
                        )
                    self._open.append(generator)
        except BaseException:
            for error in await self._close_generators():
                _log.error("A while_serving generator failed to close.", exc_info=error)
            raise

    async def shutdown(self) -> None:
        """Run the hooks of shutdown, all of them.

        Raises:
            ExceptionGroup: What the hooks raised.
        """
        self._hooks.is_frozen = False
        if not (self._hooks.after or self._open):
            return
        async with _app_context(self._app):
            errors = await self._close_generators()
            for func in self._hooks.after:
                try:
                    await _call(func)
                except Exception as error:
                    errors.append(error)
        if errors:
            raise ExceptionGroup("serving hooks failed at shutdown", errors)

    async def _close_generators(self) -> list[Exception]:
        """Run the second halves of `while_serving`; return what they raised."""
        errors: list[Exception] = []
        generators, self._open = self._open, []
        for generator in generators:
            try:
                if await carry(anext(generator, _END)) is not _END:
                    await generator.aclose()
                    raise LifespanMisuse(
                        f"{generator!r} yielded a second time. A while_serving generator has one "
                        "startup and one shutdown. Let it end after its one yield."
                    )
            except Exception as error:
                errors.append(error)
        return errors


@asynccontextmanager
async def _app_context(app: Flask) -> AsyncGenerator[None, None]:
    with app.app_context():
        yield


async def _call(func: Callable[[], Any]) -> None:
    """Call a hook: on the loop if it is async, in a worker thread if not.

    Sync code below an async hook may use `await_`, as in a view.
    """
    result = func() if inspect.iscoroutinefunction(func) else await run_sync(func)
    if inspect.isawaitable(result):
        await carry(result)
