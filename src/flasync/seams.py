"""What flasync changes about a Flask object: a few public methods, on the instance.

Flask documents these methods as the places to change how an app runs coroutines, matches URLs and
makes responses. Each replacement does what the original does, and more where the original would
have failed; the app keeps working under any WSGI server.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from blinker import NamedSignal
from flask import Flask, Request
from flask.signals import appcontext_tearing_down, request_tearing_down
from werkzeug.wrappers import Response

from flasync.bridge import await_, shield, unshield
from flasync.lanes import Match, is_async
from flasync.streams import build_stream, is_async_stream

_MARK = "flasync"
# Bodies that are certainly no async stream: what nearly every view returns.
_PLAIN = frozenset({str, bytes, dict, list})


def install(app: Flask) -> None:
    """Install the seams on `app`, once.

    Methods that the app's own class overrides stay in charge: the originals are called through
    the instance, whatever class they come from.
    """
    if _MARK in app.extensions:
        return
    app.extensions[_MARK] = True
    replacements: dict[str, Callable[..., Any]] = {
        "async_to_sync": _build_async_to_sync(),
        "ensure_sync": _build_ensure_sync(app),
        "make_response": _build_make_response(app),
        "create_url_adapter": _build_create_url_adapter(app),
        "do_teardown_request": _build_teardown(
            app, "do_teardown_request", "teardown_request_funcs", request_tearing_down
        ),
        "do_teardown_appcontext": _build_teardown(
            app, "do_teardown_appcontext", "teardown_appcontext_funcs", appcontext_tearing_down
        ),
    }
    for name, replacement in replacements.items():
        setattr(app, name, replacement)


def _build_async_to_sync() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def async_to_sync(func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a sync function that waits for the coroutine function through the bridge."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return await_(func(*args, **kwargs))

        return call

    return async_to_sync


def _build_ensure_sync(app: Flask) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    original = app.ensure_sync
    is_stock = type(app).ensure_sync is Flask.ensure_sync

    def ensure_sync(func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` as a sync function.

        A decorator that only passes the call through returns the coroutine of the `async def`
        that it wraps; it is awaited here.
        """
        if is_stock and type(func) is FunctionType:
            if func.__code__.co_flags & inspect.CO_COROUTINE:
                return original(func)
            if "__wrapped__" not in func.__dict__:
                return original(func) if inspect.iscoroutinefunction(func) else func
        sync = original(func)
        return _build_awaiting(sync) if sync is func and is_async(func) else sync

    return ensure_sync


def _build_awaiting(func: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        return await_(result) if inspect.isawaitable(result) else result

    return call


def _build_make_response(app: Flask) -> Callable[[Any], Response]:
    original = app.make_response

    def make_response(rv: Any) -> Response:
        """Make a response of what a view returned: an awaitable and async streams included."""
        if type(rv) not in _PLAIN:
            if inspect.isawaitable(rv):
                rv = await_(rv)
            if isinstance(rv, tuple) and rv:
                rv = (_adapt_body(rv[0]), *rv[1:])
            else:
                rv = _adapt_body(rv)
        return original(rv)

    return make_response


def _adapt_body(body: Any) -> Any:
    """Return a response body as it is, or an iterable for an async stream, also in a Response."""
    if isinstance(body, Response):
        if type(body.response) is not list and is_async_stream(body.response):
            body.response = build_stream(body.response)
        return body
    return build_stream(body) if is_async_stream(body) else body


def _build_create_url_adapter(app: Flask) -> Callable[[Request | None], Any]:
    original = app.create_url_adapter

    def create_url_adapter(request: Request | None) -> Any:
        """Return the adapter with which the lane was chosen, if the request is still the same.

        What the original did to the request object (the trusted hosts, the host) is carried over.
        """
        if request is not None:
            match: Match | None = request.environ.pop("flasync.match", None)
            if match is not None and match.fits(request.environ):
                vars(request).update(match.effects)
                return match.adapter
        return original(request)

    return create_url_adapter


def _build_teardown(
    app: Flask, name: str, registry: str, signal: NamedSignal
) -> Callable[..., Any]:
    original = getattr(app, name)
    is_stock = getattr(type(app), name) is getattr(Flask, name)

    def teardown(*args: Any, **kwargs: Any) -> Any:
        """Run teardown functions to their end, whatever cancellations come."""
        if is_stock and not getattr(app, registry) and not signal.receivers:
            return None
        shield()
        try:
            return original(*args, **kwargs)
        finally:
            unshield()

    return teardown
