"""Async generators as responses, in every form in which a view may return them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import flask
from flask import stream_with_context

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
app.secret_key = "not a secret: this app serves tests only"
ledger = Ledger()
ledger.init_app(app)


@app.before_request
def prepare() -> None:
    """Something in each of `g` and `session`."""
    flask.g.user = f"user of {flask.request.path}"
    flask.session["page"] = flask.request.path


@app.teardown_request
def note_teardown(error: BaseException | None) -> None:
    """The end of the context."""
    if "teardown" in flask.request.args:
        ledger.note("teardown")


async def letters() -> AsyncIterator[str]:
    """Three letters, as text and bytes would be."""
    try:
        for letter in "abc":
            yield letter
            await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)
        ledger.note("closed")


async def with_context() -> AsyncIterator[str]:
    """What the context holds at each step."""
    try:
        for step in range(3):
            request, session = flask.request, flask.session
            yield f"{step} {request.path} {flask.g.user} {session['page']}\n"
            await asyncio.sleep(0)
    finally:
        ledger.note(f"closed in {flask.request.path}")


def in_both_lanes(view: Callable[[], Any]) -> Callable[[], Any]:
    """Register a view as it is below `/sync`, and from an `async def` below `/async`."""

    async def async_view() -> Any:
        await asyncio.sleep(0)
        return view()

    name = view.__name__
    rule = name.replace("_", "-")
    app.add_url_rule(f"/sync/{rule}", f"sync_{name}", view)
    app.add_url_rule(f"/async/{rule}", f"async_{name}", async_view)
    return view


@in_both_lanes
def returned() -> Any:
    """The generator itself."""
    return letters()


@in_both_lanes
def in_response() -> Any:
    """In a response object."""
    return flask.Response(letters(), mimetype="text/plain")


@in_both_lanes
def in_tuple() -> Any:
    """With a status and headers."""
    return letters(), 201, {"X-Form": "tuple"}


@in_both_lanes
def response_in_tuple() -> Any:
    """A response with a status."""
    return flask.Response(letters()), 201, {"X-Form": "tuple"}


@in_both_lanes
def as_bytes() -> Any:
    """Bytes."""

    async def generate() -> AsyncIterator[bytes]:
        async for letter in letters():
            yield letter.encode()

    return generate()


@in_both_lanes
def as_iterator() -> Any:
    """An async iterator that is no generator."""

    class Letters:
        def __init__(self) -> None:
            self.left = list("abc")

        def __aiter__(self) -> "Letters":
            return self

        async def __anext__(self) -> str:
            await asyncio.sleep(0)
            if not self.left:
                ledger.note("closed")
                raise StopAsyncIteration
            return self.left.pop(0)

    return Letters()


@in_both_lanes
def context_by_function() -> Any:
    """`stream_with_context` around the generator."""
    return stream_with_context(with_context())


@in_both_lanes
def context_by_decorator() -> Any:
    """`stream_with_context` on the generator function."""

    @stream_with_context
    async def generate() -> AsyncIterator[str]:
        async for line in with_context():
            yield line

    return generate()


@in_both_lanes
def context_in_response() -> Any:
    """`stream_with_context` in a response object."""
    return flask.Response(stream_with_context(with_context()))


@in_both_lanes
def context_in_tuple() -> Any:
    """`stream_with_context` in a tuple."""
    return stream_with_context(with_context()), 201


@in_both_lanes
def fails_midway() -> Any:
    """A generator that raises after its first chunk."""

    async def generate() -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.sleep(0)
            raise LookupError("no b")
        finally:
            ledger.note("closed")

    return generate()


@app.get("/async/view-is-generator")
async def view_is_generator() -> AsyncIterator[str]:
    """A view that is itself an async generator function."""
    async for letter in letters():
        yield letter


@in_both_lanes
def sync_generator() -> Any:
    """A sync generator with the context, for comparison."""

    def generate() -> Any:
        for step in range(3):
            request, session = flask.request, flask.session
            yield f"{step} {request.path} {flask.g.user} {session['page']}\n"
            flasync.await_(asyncio.sleep(0))
        ledger.note(f"closed in {flask.request.path}")

    return stream_with_context(generate())


asgi = flasync.ASGI(app)
