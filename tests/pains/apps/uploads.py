"""Uploads with a limit of 64 KiB."""

import asyncio
from typing import Any

import flask

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
ledger = Ledger()
ledger.init_app(app)


@app.teardown_request
def note_teardown(error: BaseException | None) -> None:
    """Count the teardowns of uploads."""
    if flask.request.method == "POST" and flask.request.path != "/ledger/clear":
        ledger.note("teardown")


def count() -> dict[str, int]:
    """Read piece by piece, noting each."""
    size_bytes = 0
    while piece := flask.request.stream.read(4096):
        size_bytes += len(piece)
        ledger.note(f"read {len(piece)}")
    return {"size_bytes": size_bytes}


@app.post("/sync/pieces")
def sync_pieces() -> Any:
    """Thread lane."""
    return count()


@app.post("/async/pieces")
async def async_pieces() -> Any:
    """Loop lane."""
    await asyncio.sleep(0)
    return count()


@app.post("/sync/data")
def sync_data() -> Any:
    """The whole body at once."""
    return {"size_bytes": len(flask.request.get_data())}


@app.post("/async/data")
async def async_data() -> Any:
    """The whole body at once."""
    return {"size_bytes": len(flask.request.get_data())}


@app.post("/sync/form")
def sync_form() -> Any:
    """A form."""
    return dict(flask.request.form)


@app.post("/async/form")
async def async_form() -> Any:
    """A form."""
    return dict(flask.request.form)


@app.get("/ping")
async def ping() -> str:
    """The bystander."""
    return "pong"


asgi = flasync.ASGI(app)
