"""Streamed responses of every kind, which say when they open and close."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import flask

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
ledger = Ledger()
ledger.init_app(app)

CHUNK = b"." * 65536
finish: list[asyncio.Future[None]] = []


@app.teardown_request
def note_teardown(error: BaseException | None) -> None:
    """Count the teardowns of streams."""
    if flask.request.path.startswith("/streams/"):
        ledger.note("teardown")


def tick(wait: object = None) -> Iterator[bytes]:
    """A sync generator that ticks until it is closed."""
    ledger.note("opened")
    try:
        while True:
            yield b"tick\n"
            if wait is None:
                time.sleep(0.05)
            else:
                flasync.await_(asyncio.sleep(0.05))
    finally:
        ledger.note("closed")


async def async_tick() -> AsyncIterator[bytes]:
    """An async generator that ticks until it is closed."""
    ledger.note("opened")
    try:
        while True:
            yield b"tick\n"
            await asyncio.sleep(0.05)
    finally:
        ledger.note("closed")


async def async_silent() -> AsyncIterator[bytes]:
    """An async generator that waits for an event which never comes."""
    ledger.note("opened")
    try:
        yield b"tick\n"
        await asyncio.get_running_loop().create_future()
    finally:
        ledger.note("closed")


async def async_until_finished() -> AsyncIterator[bytes]:
    """An async generator that waits for `POST /finish`, then ends."""
    ledger.note("opened")
    try:
        yield b"tick\n"
        future = asyncio.get_running_loop().create_future()
        finish.append(future)
        await future
        yield b"end\n"
    finally:
        ledger.note("closed")


def flood() -> Iterator[bytes]:
    """A sync generator that always has more."""
    ledger.note("opened")
    try:
        while True:
            yield CHUNK
    finally:
        ledger.note("closed")


@app.get("/streams/sync")
def sync_stream() -> Iterator[bytes]:
    """Thread lane, sync generator."""
    return tick()


@app.get("/streams/async")
async def async_stream() -> AsyncIterator[bytes]:
    """Loop lane, async generator."""
    return async_tick()


@app.get("/streams/sync-view-async-generator")
def sync_view_async_generator() -> AsyncIterator[bytes]:
    """Thread lane, async generator."""
    return async_tick()


@app.get("/streams/async-view-sync-generator")
async def async_view_sync_generator() -> Iterator[bytes]:
    """Loop lane, sync generator that waits through `await_`."""
    return tick("await_")


@app.get("/streams/async-silent")
async def async_silent_stream() -> AsyncIterator[bytes]:
    """Loop lane, nothing to send after the first chunk."""
    return async_silent()


@app.get("/streams/sync-view-async-silent")
def sync_view_async_silent() -> AsyncIterator[bytes]:
    """Thread lane, nothing to send after the first chunk."""
    return async_silent()


@app.get("/streams/sync-with-context")
def sync_with_context() -> Iterator[bytes]:
    """Thread lane, the context kept."""
    return flask.stream_with_context(tick())


@app.get("/streams/async-until-finished")
async def async_until_finished_stream() -> AsyncIterator[bytes]:
    """Loop lane, ends on demand."""
    return async_until_finished()


@app.get("/streams/flood")
def flood_stream() -> Iterator[bytes]:
    """Thread lane, more than the reader takes."""
    return flood()


@app.get("/streams/finite")
def finite_stream() -> Iterator[bytes]:
    """Thread lane, ten chunks."""
    return (CHUNK for _ in range(10))


@app.post("/finish")
async def finish_streams() -> str:
    """Let every waiting stream end."""
    for future in finish:
        if not future.done():
            future.set_result(None)
    finish.clear()
    return ""


@app.get("/ping")
async def ping() -> str:
    """The bystander on the loop."""
    return "pong"


@app.get("/sync-ping")
def sync_ping() -> str:
    """The bystander in a thread."""
    return "pong"


asgi = flasync.ASGI(app)
