"""Code that runs event loops of its own, as existing Flask apps do."""

import asyncio

import flask
from asgiref.sync import async_to_sync

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
ledger = Ledger()
ledger.init_app(app)


async def compute(number: int) -> int:
    """Something that waits."""
    await asyncio.sleep(0.01)
    return number + 1


@app.before_request
def third_party_hook() -> None:
    """An extension's sync hook that waits with asgiref."""
    if "asgiref-hook" in flask.request.path:
        flask.g.number = async_to_sync(compute)(1)


@app.get("/asyncio-run")
def asyncio_run() -> str:
    """A loop of the view's own."""
    return str(asyncio.run(compute(1)))


@app.get("/asyncio-run-twice")
def asyncio_run_twice() -> str:
    """A loop of the view's own between two waits on the app's."""
    first = flasync.await_(compute(1))
    second = asyncio.run(compute(first))
    return str(flasync.await_(compute(second)))


@app.get("/new-event-loop")
def new_event_loop() -> str:
    """A loop by hand."""
    loop = asyncio.new_event_loop()
    try:
        return str(loop.run_until_complete(compute(1)))
    finally:
        loop.close()


@app.get("/asgiref")
def asgiref_view() -> str:
    """Asgiref in a sync view."""
    return str(async_to_sync(compute)(1))


@app.get("/asgiref-hook")
def asgiref_hook() -> str:
    """Asgiref in a sync hook of a sync view."""
    return str(flask.g.number)


@app.get("/asgiref-in-thread")
@flasync.in_thread
async def asgiref_in_thread() -> str:
    """Asgiref below an async view, through a thread."""
    return str(await flasync.run_sync(async_to_sync(compute), 1))


@app.get("/async-run-sync")
async def async_run_sync() -> str:
    """`asyncio.run` below an async view, through a thread."""
    return str(await flasync.run_sync(lambda: asyncio.run(compute(1))))


@app.get("/async-asyncio-run")
async def async_asyncio_run() -> str:
    """What cannot work on any running loop."""
    coroutine = compute(1)
    try:
        return str(asyncio.run(coroutine))
    except RuntimeError as error:
        coroutine.close()
        return f"refused: {error}"


@app.get("/async-asgiref")
async def async_asgiref() -> str:
    """Asgiref in sync code below an async view."""
    return str(async_to_sync(compute)(1))


@app.get("/asgiref-hook-async")
async def asgiref_hook_async() -> str:
    """Asgiref in a sync hook of an async view."""
    return str(flask.g.number)


asgi = flasync.ASGI(app)
