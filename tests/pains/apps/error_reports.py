"""Sentry's SDK with the integration that it switches on by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import flask
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

import flasync
from pains.apps.ledger import Ledger

reports: list[dict[str, Any]] = []


class Keep(Transport):
    """Keeps what would be sent to Sentry."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep the events and transactions."""
        reports.extend(item.payload.json for item in envelope.items if item.payload.json)


sentry_sdk.init(
    dsn="http://key@127.0.0.1:9/1",
    transport=Keep(),
    traces_sample_rate=1.0,
    auto_session_tracking=False,
)

app = flask.Flask(__name__)
ledger = Ledger()
ledger.init_app(app)


@app.before_request
def tag() -> None:
    """Tag the request's scope in a hook."""
    if number := (flask.request.view_args or {}).get("number"):
        sentry_sdk.set_tag("number", str(number))


async def pause() -> None:
    """Let the other requests run."""
    for _ in range(3):
        await asyncio.sleep(0)


@app.get("/sync/<int:number>")
def sync_view(number: int) -> str:
    """Report something after a wait."""
    flasync.await_(pause())
    sentry_sdk.capture_message(f"message {number}")
    return "ok"


@app.get("/async/<int:number>")
async def async_view(number: int) -> str:
    """Report something after an await."""
    await pause()
    sentry_sdk.capture_message(f"message {number}")
    return "ok"


@app.get("/sync-stream/<int:number>")
def sync_stream(number: int) -> Iterator[str]:
    """Report something from within a stream."""

    def generate() -> Iterator[str]:
        yield "chunk"
        flasync.await_(pause())
        sentry_sdk.capture_message(f"message {number}")
        yield "chunk"

    return flask.stream_with_context(generate())


@app.get("/async-stream/<int:number>")
async def async_stream(number: int) -> AsyncIterator[str]:
    """Report something from within a stream."""

    async def generate() -> AsyncIterator[str]:
        yield "chunk"
        await pause()
        sentry_sdk.capture_message(f"message {number}")
        yield "chunk"

    return flask.stream_with_context(generate())


@app.get("/sync-error/<int:number>")
def sync_error(number: int) -> str:
    """Fail."""
    raise LookupError(f"no {number}")


@app.get("/async-error/<int:number>")
async def async_error(number: int) -> str:
    """Fail after an await."""
    await pause()
    raise LookupError(f"no {number}")


@app.get("/reports")
async def show_reports() -> flask.Response:
    """Every report, as the SDK made it."""
    return flask.jsonify(
        [
            {
                "type": report.get("type", "event"),
                "message": report.get("message"),
                "exception": [
                    each["type"] for each in report.get("exception", {}).get("values", [])
                ],
                "tags": report.get("tags", {}),
                "transaction": report.get("transaction"),
                "url": report.get("request", {}).get("url"),
            }
            for report in reports
        ]
    )


@app.post("/reports/clear")
async def clear_reports() -> str:
    """Forget them."""
    reports.clear()
    return ""


asgi = flasync.ASGI(app)
