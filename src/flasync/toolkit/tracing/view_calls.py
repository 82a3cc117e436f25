"""A call of the traced request's view: from its coroutine's creation to its end."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, TracebackType
from typing import Any

import flask
from flask.views import MethodView
from werkzeug.exceptions import HTTPException

from flasync.lanes import is_async, unwrap_chain
from flasync.toolkit.report.wording import format_duration
from flasync.toolkit.tracing.places import Places, Spot, shorten_code
from flasync.toolkit.tracing.shown_values import mask_text, show_value
from flasync.toolkit.tracing.timeline import Timeline, Track, current_track
from flasync.toolkit.tracing.trace import Action
from flasync.toolkit.tracing.view_profile import ViewProfile


class ViewCalls:
    """Wraps views, and adds the steps of the one that is called.

    Args:
        timeline: Where to.
        places: Names the places.

    Attributes:
        choice: Why the view that was called has its lane; "" if none was.
    """

    def __init__(self, timeline: Timeline, places: Places) -> None:
        self._timeline = timeline
        self._places = places
        self._profile = ViewProfile(timeline, places, self._get_state, self._start)
        self._name = ""
        self._coroutine: CoroutineType[Any, Any, Any] | None = None
        self._called_ms = 0.0
        self._has_ended = False
        self.choice = ""

    def wrap(self, view: Any) -> Any:
        """Return a view that is noted."""

        @functools.wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            track = current_track.get(None)
            if track is None:
                return view(*args, **kwargs)
            self._enter(view)
            try:
                with self._profile.watch():
                    result = view(*args, **kwargs)
            except BaseException as error:
                self._fail(track, error)
                raise
            if isinstance(result, CoroutineType):
                return self._follow(track, result)
            self._complete(track, result)
            return result

        return call

    def wrap_ensure_sync(self, ensure_sync: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return `Flask.ensure_sync` for decorators that call an async view by it themselves."""

        def ensure(function: Any) -> Any:
            track = current_track.get(None)
            code = getattr(function, "__code__", None)
            if track is None or code not in self._timeline.view_codes:
                return ensure_sync(function)
            if not inspect.iscoroutinefunction(function):
                return ensure_sync(function)

            @functools.wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                return self._follow(track, function(*args, **kwargs))

            return ensure_sync(call)

        return ensure

    def _enter(self, view: Any) -> None:
        method = flask.request.method
        self._timeline.view_codes = find_view_codes(view, method)
        name = name_function(view)
        self._name = str(flask.request.endpoint) if name == "<lambda>" else name
        self._called_ms = self._timeline.now()
        self.choice = f"`{self._name}` is {describe_choice(view, method, self._timeline.lane)}"

    async def _follow(self, track: Track, coroutine: CoroutineType[Any, Any, Any]) -> Any:
        """Await the view's coroutine."""
        self._coroutine = coroutine
        track.coroutines.append(coroutine)
        frame = coroutine.cr_frame
        self._timeline.add(
            track,
            Action.CREATED,
            f"view `{self._name}` called: its coroutine is created",
            place=self._places.locate_definition(coroutine.cr_code) if frame is not None else "",
            state=inspect.getcoroutinestate(coroutine),
            result="none of its code has run",
        )
        try:
            with self._profile.watch():
                result = await coroutine
        except BaseException as error:
            self._fail(track, error)
            raise
        else:
            self._complete(track, result)
            return result
        finally:
            track.coroutines.remove(coroutine)

    def _start(self, track: Track, code: CodeType, shown: dict[str, str]) -> None:
        self._timeline.add(
            track,
            Action.STARTED,
            f"view `{self._name}` started",
            place=self._places.locate_definition(code),
            state=self._get_state(),
            variables=track.tracker.accept(shown),
        )

    def _get_state(self, otherwise: str = "running") -> str:
        return otherwise if self._coroutine is None else inspect.getcoroutinestate(self._coroutine)

    def _complete(self, track: Track, result: Any) -> None:
        """Add the steps of a return, unless the view that a decorator has called has them."""
        if self._has_ended:
            return
        track.stream = find_stream(result)
        if track.stream is not None and track.stream.ag_code in self._timeline.view_codes:
            self._timeline.add(
                track,
                Action.CREATED,
                f"view `{self._name}` called: its async generator is created",
                place=self._places.locate_definition(track.stream.ag_code),
                result="its code runs piece by piece, while the response is sent",
            )
            return
        end = self._profile.last_end
        shown = f" {show_value(result)}" if self._timeline.with_variables else ""
        if end is not None:
            step = self._timeline.add(
                track,
                Action.RETURNING,
                f"returning at `{shorten_code(end.spot.source)}`",
                place=end.spot.place,
                source=end.spot.source,
                state=end.state,
                result=f"the view returned{shown}",
                variables=track.tracker.accept(end.shown),
            )
            step.at_ms = end.at_ms
        self._close(track, "completed")

    def _fail(self, track: Track, error: BaseException) -> None:
        """Add the steps of an exception."""
        if self._has_ended:
            return
        spot, view_frame = self._find_origin(error.__traceback__)
        is_cancelled = isinstance(error, asyncio.CancelledError | GeneratorExit)
        what = "cancelled" if is_cancelled else "raised"
        if isinstance(error, GeneratorExit):
            where = "by force, as it has caught its cancellation and gone on"
        else:
            where = "before its own code" if spot is None else f"at `{spot.expression}`"
        self._timeline.add(
            track,
            Action.CANCELLED if is_cancelled else Action.RAISED,
            f"{what} {where}",
            place=spot.place if spot is not None else "",
            source=spot.source if spot is not None else "",
            state=inspect.CORO_RUNNING if self._coroutine is not None else "running",
            result=describe_error(error),
            variables=track.tracker.compare(None if view_frame is None else view_frame.f_locals),
        )
        self._close(track, "completed, with the exception")

    def _find_origin(self, tb: TracebackType | None) -> tuple[Spot | None, FrameType | None]:
        """Return the innermost place of the project's own in a traceback, and the view's frame."""
        spot = view_frame = None
        while tb is not None:
            code = tb.tb_frame.f_code
            if self._places.is_own(code.co_filename):
                spot = self._places.locate(tb.tb_frame, tb.tb_lasti)
            if code in self._timeline.view_codes:
                view_frame = tb.tb_frame
            tb = tb.tb_next
        return spot, view_frame

    def _close(self, track: Track, words: str) -> None:
        self._has_ended = True
        took_ms = self._timeline.now() - self._called_ms
        if not self._profile.has_started:
            words = "did not run: a decorator of it has ended the request"
        self._timeline.add(
            track,
            Action.COMPLETED,
            f"view `{self._name}` {words}",
            state=self._get_state("finished"),
            result=f"after {format_duration(took_ms)}",
            duration_ms=took_ms,
        )


def find_view_codes(view: Any, method: str) -> frozenset[CodeType]:
    """Return the code that counts as the view's own: what its decorators wrap."""
    innermost = list(unwrap_chain(_find_functions(view, method)[-1]))[-1]
    code = getattr(innermost, "__code__", None)
    return frozenset() if code is None else frozenset([code])


def _find_functions(view: Any, method: str) -> list[Any]:
    """Return the functions that a request of a method runs for a view, outermost first."""
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return [view]
    functions = [view, getattr(view_class, "dispatch_request", None)]
    if issubclass(view_class, MethodView):
        own = getattr(view_class, method.lower(), None)
        functions.append(own or getattr(view_class, "get", None))  # HEAD is answered by GET
    return [function for function in functions if function is not None]


def name_function(function: Any) -> str:
    """Return a function's name, or its class's where it has none."""
    return str(getattr(function, "__name__", None) or type(function).__name__)


def find_stream(result: Any) -> AsyncGeneratorType[Any, Any] | None:
    """Return the async generator that a view has returned as its body."""
    body = result[0] if isinstance(result, tuple) and result else result
    if isinstance(body, flask.Response):
        body = body.response
    return body if isinstance(body, AsyncGeneratorType) else None


def describe_choice(view: Any, method: str, lane: str) -> str:
    """Return what about a view makes its requests take a lane."""
    is_coroutine = any(map(is_async, _find_functions(view, method)))
    if lane == "loop":
        return "async" if is_coroutine else "marked `@on_loop`"
    return "marked `@in_thread`" if is_coroutine else "a plain `def`"


def describe_error(error: BaseException) -> str:
    """Return an exception as people read it; of a group, what the first in it is too."""
    if isinstance(error, HTTPException):
        return f"{error.code} {error.name}"
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, BaseExceptionGroup):
        text = f"{text}, {describe_error(error.exceptions[0])}"
    return shorten_code(mask_text(text))
