"""The functions that an app has registered, wrapped while a request is traced.

Flask keeps its hooks, error handlers and views in public containers of the app. In each of them a
function is replaced by one that notes when it begins and how it ends, and that is put back
afterwards. `functools.wraps` keeps what others look at: the name, and by `__wrapped__` whether it
is async and which lane it asks for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import CoroutineType
from typing import Any

import flask

from flasync.toolkit.tracing.places import Places
from flasync.toolkit.tracing.timeline import Draft, Timeline, Track, current_track
from flasync.toolkit.tracing.trace import Action
from flasync.toolkit.tracing.view_calls import ViewCalls, describe_error, name_function

_SHORT_NAMES = {
    "before_request_funcs": "before_request",
    "after_request_funcs": "after_request",
    "teardown_request_funcs": "teardown_request",
    "url_value_preprocessors": "url_value_preprocessor",
}


@contextmanager
def watch_registered(
    app: flask.Flask, timeline: Timeline, places: Places, views: ViewCalls
) -> Generator[None]:
    """Have the app's hooks, error handlers and views noted within this block."""
    undo: list[Callable[[], None]] = []
    hooks = _Hooks(timeline, places)
    try:
        for container, key, kind in _list_slots(app):
            function = container[key]
            undo.append(functools.partial(container.__setitem__, key, function))
            if kind == "ensure_sync":
                container[key] = views.wrap_ensure_sync(function)
            elif kind == "view":
                container[key] = views.wrap(function)
            else:
                container[key] = hooks.wrap(kind, function)
        yield
    finally:
        for put_back in undo:
            put_back()


def _list_slots(app: flask.Flask) -> Iterator[tuple[Any, Any, str]]:
    """Yield each registered function as container, key and kind."""
    for name, kind in _SHORT_NAMES.items():
        for functions in getattr(app, name).values():
            for index in range(len(functions)):
                yield functions, index, kind
    for index in range(len(app.teardown_appcontext_funcs)):
        yield app.teardown_appcontext_funcs, index, "teardown_appcontext"
    for by_code in app.error_handler_spec.values():
        for by_class in by_code.values():
            for key in list(by_class):
                yield by_class, key, "errorhandler"
    for endpoint in list(app.view_functions):
        yield app.view_functions, endpoint, "view"
    yield vars(app), "ensure_sync", "ensure_sync"  # set there by flasync.seams


class _Hooks:
    """Wraps hooks and error handlers."""

    def __init__(self, timeline: Timeline, places: Places) -> None:
        self._timeline = timeline
        self._places = places

    def wrap(self, kind: str, function: Any) -> Any:
        """Return a hook that is noted."""
        place = self._places.locate_function(function)
        text = f"{kind} `{name_function(function)}`"

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            track = current_track.get(None)
            if track is None:
                return function(*args, **kwargs)
            step = self._timeline.add(track, Action.HOOK, text, place=place)
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                self._fail(step, error)
                raise
            if isinstance(result, CoroutineType):
                return self._follow(track, step, result, kind)
            self._finish(step, kind, result)
            return result

        return call

    async def _follow(
        self, track: Track, step: Draft, coroutine: CoroutineType[Any, Any, Any], kind: str
    ) -> Any:
        """Await an async hook."""
        track.coroutines.append(coroutine)
        try:
            result = await coroutine
        except BaseException as error:
            self._fail(step, error)
            raise
        finally:
            track.coroutines.remove(coroutine)
        self._finish(step, kind, result)
        return result

    def _finish(self, step: Draft, kind: str, result: Any) -> None:
        step.duration_ms = self._timeline.now() - step.at_ms
        if kind == "before_request" and result is not None:
            step.add_result("answers the request: the view is not called")
        elif kind == "errorhandler":
            step.add_result("answers in place of the view")

    def _fail(self, step: Draft, error: BaseException) -> None:
        step.duration_ms = self._timeline.now() - step.at_ms
        step.add_result(f"raised {describe_error(error)}")
