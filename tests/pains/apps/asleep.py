"""Two worker threads, which sleep."""

import threading

import flask

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
app.config["WORKER_THREADS"] = 2
ledger = Ledger()
ledger.init_app(app)

wake_up = threading.Event()


@app.get("/block")
def block() -> str:
    """Hold a thread until woken."""
    ledger.note("asleep")
    wake_up.wait(timeout=60)
    return "awake"


@app.get("/async")
async def async_view() -> str:
    """On the loop by nature."""
    return "async answers"


@app.get("/health")
@flasync.on_loop
def health() -> str:
    """On the loop by request."""
    return "healthy"


@app.post("/fall-asleep")
async def fall_asleep() -> str:
    """Have the next requests block."""
    wake_up.clear()
    return ""


@app.post("/wake-up")
async def wake() -> str:
    """Let them go."""
    wake_up.set()
    return ""


asgi = flasync.ASGI(app)
