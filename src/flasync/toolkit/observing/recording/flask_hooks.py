"""The anchors: thin wrappers of Flask's own methods that say which request a thread is in."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.in_flight import InFlight, Record, Visit


def install(flask: ModuleType, in_flight: InFlight) -> tuple[CodeType, ...]:
    """Wrap the methods of the class `flask.Flask`; return the code of the anchors."""
    steps = _Steps(in_flight)
    codes = _wrap_wsgi_app(flask.Flask, in_flight, steps), _wrap_ensure_sync(flask.Flask, in_flight)

    def on_request_started(_: Any, **__: Any) -> None:
        rule = flask.request.url_rule
        if rule is not None:
            in_flight.match(rule.rule, rule.endpoint)

    flask.request_started.connect(on_request_started, weak=False)
    return (*codes, _Body.__next__.__code__, _Body.close.__code__)


class _Steps:
    """Steps of requests in the calling thread."""

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight

    @contextmanager
    def take(self, record: Record, *, ends: bool = False) -> Iterator[Visit]:
        """Take one; its frame must keep the result as `visit`. `ends`: with it the request ends."""
        visit = self._in_flight.enter(record)
        outer = self._in_flight.current.get()
        self._in_flight.current.set(record)
        try:
            yield visit
        finally:
            self._in_flight.current.set(outer)
            self._in_flight.leave(visit, ends=ends)


def _wrap_wsgi_app(cls: Any, in_flight: InFlight, steps: _Steps) -> CodeType:
    run = cls.wsgi_app
    closing_iterator = sys.modules["werkzeug.wsgi"].ClosingIterator

    def wsgi_app(app: Any, environ: dict[str, Any], start_response: Any) -> Any:
        record = in_flight.begin(app.import_name, environ.get("REQUEST_METHOD", ""))
        with steps.take(record, ends=True) as visit:  # noqa: F841  the sampler reads it
            body = run(app, environ, start_response)
        # Servers look for other types, such as their own file wrapper.
        return _Body(body, record, steps) if type(body) is closing_iterator else body

    cls.wsgi_app = functools.update_wrapper(wsgi_app, run)
    return wsgi_app.__code__


def _wrap_ensure_sync(cls: Any, in_flight: InFlight) -> CodeType:
    ensure = cls.ensure_sync

    async def run_coroutine(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        record = in_flight.current.get()
        if record is None:
            return await func(*args, **kwargs)
        visit = in_flight.enter(record, of_coroutine=True)
        record.away += 1
        try:
            return await func(*args, **kwargs)
        finally:
            record.away -= 1
            in_flight.leave(visit)

    def ensure_sync(app: Any, func: Callable[..., Any]) -> Any:
        if inspect.iscoroutinefunction(func):

            @functools.wraps(func)
            async def coroutine_function(*args: Any, **kwargs: Any) -> Any:
                return await run_coroutine(func, *args, **kwargs)

            return ensure(app, coroutine_function)
        return ensure(app, func)

    cls.ensure_sync = functools.update_wrapper(ensure_sync, ensure)
    return run_coroutine.__code__


class _Body:
    """A response body whose steps are part of the request."""

    def __init__(self, body: Any, record: Record, steps: _Steps) -> None:
        self._body = body
        self._record = record
        self._steps = steps

    def __iter__(self) -> _Body:
        return self

    def __next__(self) -> bytes:
        with self._steps.take(self._record) as visit:  # noqa: F841  the sampler reads it
            return next(self._body)  # type: ignore[no-any-return]  # of Werkzeug's iterator

    def close(self) -> None:
        with self._steps.take(self._record) as visit:  # noqa: F841  the sampler reads it
            self._body.close()
