"""Long requests whose clients leave: what runs, and in which order."""

import asyncio
import threading

import flask

import flasync
from pains.apps.ledger import Ledger

app = flasync.Flask(__name__)
app.secret_key = "not a secret: this app serves tests only"
ledger = Ledger()
ledger.init_app(app)

released = threading.Event()
async_released: list[asyncio.Future[None]] = []


@app.before_request
def prepare() -> None:
    """What a request holds until its teardown."""
    flask.g.resource = "open"
    flask.g.endpoint = flask.request.endpoint
    flask.session["visited"] = flask.request.path


@app.teardown_request
def release_resource(error: BaseException | None) -> None:
    """Close what the view may still use."""
    flask.g.resource = "closed"
    if flask.request.path.startswith("/slow/"):
        ledger.note(f"teardown {flask.request.endpoint}")


@app.teardown_appcontext
def note_app_teardown(error: BaseException | None) -> None:
    """The last thing of a request."""
    endpoint = flask.g.get("endpoint") or ""
    if endpoint.startswith(("slow", "opted")):
        ledger.note(f"app teardown {endpoint}")


def state() -> str:
    """What the view still has."""
    return f"{flask.g.resource} {flask.session['visited']}"


@app.get("/slow/sync")
def slow_sync() -> str:
    """Block until released, then use everything."""
    ledger.note("view entered")
    released.wait(timeout=60)
    ledger.note(f"view done: {state()}")
    return "done"


@app.get("/slow/sync-in-steps")
def slow_sync_in_steps() -> str:
    """Block until released, waiting for a coroutine before and after."""
    flasync.await_(asyncio.sleep(0))
    ledger.note("view entered")
    released.wait(timeout=60)
    ledger.note(f"view done: {state()}")
    return "done"


@app.get("/slow/async")
async def slow_async() -> str:
    """Wait for what never comes."""
    ledger.note("view entered")
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        ledger.note(f"cancelled: {state()}")
        raise
    finally:
        await asyncio.sleep(0)  # a clean-up that itself waits
        ledger.note(f"finally: {state()}")
    return "never"


@app.get("/slow/async-in-await")
async def slow_in_sync_code() -> str:
    """Wait for what never comes in sync code below an async view."""
    ledger.note("view entered")
    try:
        flasync.await_(asyncio.get_running_loop().create_future())
    finally:
        ledger.note(f"finally: {state()}")
    return "never"


@app.get("/slow/opted-out")
@flasync.on_loop(cancel_on_disconnect=False)
async def opted_out() -> str:
    """Wait until released, whoever leaves."""
    ledger.note("opted-out view entered")
    future = asyncio.get_running_loop().create_future()
    async_released.append(future)
    try:
        await future
    except asyncio.CancelledError:
        ledger.note("opted-out view cancelled")
        raise
    ledger.note(f"opted-out view done: {state()}")
    return "done"


@app.post("/release")
async def release() -> str:
    """Let the blocked views go."""
    released.set()
    for future in async_released:
        future.set_result(None)
    async_released.clear()
    return ""


@app.post("/hold")
async def hold() -> str:
    """Have the next views block."""
    released.clear()
    return ""


@app.get("/ping")
async def ping() -> str:
    """The bystander on the loop."""
    return "pong"
