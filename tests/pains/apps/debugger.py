"""Werkzeug's debugger around an app."""

import asyncio
import os
from collections.abc import AsyncIterator

import flask
from werkzeug.debug import DebuggedApplication

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
app.config["PROPAGATE_EXCEPTIONS"] = True
ledger = Ledger()
ledger.init_app(app)
os.environ["WERKZEUG_DEBUG_PIN"] = "off"
app.wsgi_app = DebuggedApplication(app.wsgi_app, evalex=True)


@app.get("/sync")
def sync_view() -> str:
    """Fine."""
    return "fine"


@app.get("/async")
async def async_view() -> str:
    """Fine."""
    await asyncio.sleep(0)
    return "fine"


@app.get("/async-stream")
async def async_stream() -> AsyncIterator[str]:
    """Fine, in pieces."""

    async def generate() -> AsyncIterator[str]:
        for letter in "fine":
            await asyncio.sleep(0)
            yield letter

    return flask.stream_with_context(generate())


@app.get("/sync-error")
def sync_error() -> str:
    """Not fine."""
    number = 41  # seen in the debugger's console
    raise LookupError(f"sync {number}")


@app.get("/async-error")
async def async_error() -> str:
    """Not fine."""
    number = 42  # seen in the debugger's console
    await asyncio.sleep(0)
    raise LookupError(f"async {number}")


asgi = flasync.ASGI(app)
