"""Views that only finish when 20 requests are inside them at the same time."""

import asyncio
import threading
import time
from contextvars import ContextVar

import flask

import flasync
from pains.apps.ledger import Ledger

REQUESTS = 20

app = flask.Flask(__name__)
app.config["WORKER_THREADS"] = REQUESTS
ledger = Ledger()
ledger.init_app(app)

mine: ContextVar[int | None] = ContextVar("mine", default=None)
meeting = threading.Barrier(REQUESTS)
waiting: list[asyncio.Future[None]] = []


async def meet() -> None:
    """Wait until 20 coroutines wait here."""
    future = asyncio.get_running_loop().create_future()
    waiting.append(future)
    if len(waiting) == REQUESTS:
        for each in waiting:
            each.set_result(None)
        waiting.clear()
    await future


@app.before_request
def remember() -> None:
    """Set a context variable that nobody set before in this Context."""
    if "number" in (flask.request.view_args or {}):
        assert mine.get() is None
        mine.set(flask.request.view_args["number"])
        flask.g.number = flask.request.view_args["number"]


@app.teardown_request
def note_context(error: BaseException | None) -> None:
    """Note what this request's Context holds at its end."""
    if "number" in (flask.request.view_args or {}):
        ledger.note(f"teardown {mine.get()} {flask.g.number}")


async def loop_id() -> int:
    """Which loop runs the app's coroutines."""
    return id(asyncio.get_running_loop())


def describe(loop: int) -> dict[str, object]:
    """What this request sees."""
    return {"loop": loop, "mine": mine.get(), "g": flask.g.number, "path": flask.request.path}


@app.get("/async/<int:number>")
async def async_view(number: int) -> dict[str, object]:
    """Meet 19 others on the loop."""
    await meet()
    return describe(await loop_id()) | {"thread": threading.get_ident()}


@app.get("/sync/<int:number>")
def sync_view(number: int) -> dict[str, object]:
    """Meet 19 others in threads."""
    meeting.wait(timeout=60)
    return describe(flasync.await_(loop_id())) | {"thread": threading.get_ident()}


@app.get("/async-sleep")
async def async_sleep() -> str:
    """A fifth of a second of waiting."""
    await asyncio.sleep(0.2)
    return ""


@app.get("/sync-sleep")
def sync_sleep() -> str:
    """A fifth of a second of waiting."""
    time.sleep(0.2)
    return ""


asgi = flasync.ASGI(app)
