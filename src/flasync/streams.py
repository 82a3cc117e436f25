"""Async generators as response bodies, in Flask's pipeline of plain iterables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import flask.globals
from flask import request
from flask.globals import app_ctx

from flasync.bridge import await_, shielded

_END = object()


def is_async_stream(body: Any) -> bool:
    """Whether a response body is an async iterable, or `stream_with_context` around one.

    `flask.stream_with_context` takes an async generator for a function to decorate, since it is
    no iterable: what it returns wraps the generator without having touched it.
    """
    return hasattr(body, "__aiter__") or _is_wrapped(body)


def build_stream(body: Any) -> AsyncStream:
    """Return a body for which `is_async_stream` holds as an iterable for Flask.

    The request's exchange finds it in the environ, and closes it should Flask drop it unsent.

    Runs in: a request, with its context pushed.
    """
    keep_context = _is_wrapped(body)
    iterable = body.__wrapped__ if keep_context else body
    stream = AsyncStream(aiter(iterable), keep_context=keep_context)
    request.environ.setdefault("flasync.streams", []).append(stream)
    return stream


def _is_wrapped(body: Any) -> bool:
    return callable(body) and hasattr(getattr(body, "__wrapped__", None), "__aiter__")


class AsyncStream:
    """An async iterator as an iterator for WSGI, which steps it through the bridge.

    Args:
        iterator: An async generator or any async iterator of str or bytes.
        keep_context: Whether the current request context stays pushed until the stream is
            closed, so that its teardown runs then, and only then.
    """

    def __init__(self, iterator: AsyncIterator[Any], *, keep_context: bool) -> None:
        self._iterator = iterator
        self._contexts = ExitStack()
        if keep_context:
            for context in _get_contexts():
                self._contexts.enter_context(context)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        """Return the next item. Switches: while the iterator waits."""
        try:
            item = await_(anext(self._iterator, _END))
        except BaseException:
            self.close()
            raise
        if item is _END:
            self.close()
            raise StopIteration
        return item

    def close(self) -> None:
        """Close the iterator and pop the contexts, whatever cancellations come.

        A stream that ends or fails closes itself, as `stream_with_context` does: not every
        reader (a test client) closes what it has read to the end.
        """
        with shielded(), self._contexts:
            aclose = getattr(self._iterator, "aclose", None)
            if aclose is not None:
                await_(aclose())


def _get_contexts() -> list[Any]:
    """Return the pushed contexts, outermost first: one of them since Flask 3.2, two before."""
    proxies: list[Any] = [app_ctx, vars(flask.globals).get("request_ctx")]
    return [proxy._get_current_object() for proxy in proxies if proxy is not None]
