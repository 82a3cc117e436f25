"""What crosses the wire, shown by views in both lanes (`/sync/…` and `/async/…`)."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import flask
from werkzeug.exceptions import ClientDisconnected

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
ledger = Ledger()
ledger.init_app(app)


@app.teardown_request
def note_teardown(error: BaseException | None) -> None:
    """Count the teardowns of the routes under test."""
    if flask.request.path.startswith(("/sync/", "/async/")):
        ledger.note("teardown")


def in_both_lanes(rule: str, **options: Any) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register a view as it is below `/sync`, and from an `async def` below `/async`."""

    def register(view: Callable[[], Any]) -> Callable[[], Any]:
        async def async_view() -> Any:
            await asyncio.sleep(0)
            return view()

        app.add_url_rule(f"/sync{rule}", f"sync_{view.__name__}", view, **options)
        app.add_url_rule(f"/async{rule}", f"async_{view.__name__}", async_view, **options)
        return view

    return register


@in_both_lanes("/cookies")
def cookies() -> dict[str, str]:
    """Every cookie."""
    return dict(flask.request.cookies)


@in_both_lanes("/header")
def header() -> flask.Response:
    """X-Name in JSON and back in a header."""
    name = flask.request.headers["X-Name"]
    response = flask.jsonify(name=name)
    response.headers["X-Name"] = name
    return response


@in_both_lanes("/query")
def query() -> dict[str, str]:
    """The query string as bytes in hexadecimal, and its argument `q`."""
    return {"raw": flask.request.query_string.hex(), "q": flask.request.args["q"]}


@in_both_lanes("/where")
def where() -> dict[str, str]:
    """Where the app is mounted."""
    return {
        "script_root": flask.request.script_root,
        "path": flask.request.path,
        "url_for": flask.url_for("sync_where"),
    }


@in_both_lanes("/hello")
def hello() -> str:
    """Some text."""
    return "hello"


@in_both_lanes("/no-content")
def no_content() -> tuple[str, int]:
    """204, though with text."""
    return "text that must not be sent", 204


@in_both_lanes("/not-modified")
def not_modified() -> flask.Response:
    """304 for whoever knows the ETag."""
    response = flask.make_response("hello")
    response.set_etag("known")
    return response.make_conditional(flask.request)


@in_both_lanes("/announce-100")
def announce_more() -> flask.Response:
    """A Content-Length larger than the body."""
    return flask.Response(iter([b"hello"]), headers={"Content-Length": "100"})


@in_both_lanes("/announce-2")
def announce_less() -> flask.Response:
    """A Content-Length smaller than the body."""
    return flask.Response(iter([b"hello"]), headers={"Content-Length": "2"})


@in_both_lanes("/upload", methods=["POST"])
def upload() -> dict[str, object]:
    """The size and digest of the body."""
    ledger.note("view entered")
    digest, size_bytes = hashlib.sha256(), 0
    try:
        while chunk := flask.request.stream.read(4096):
            digest.update(chunk)
            size_bytes += len(chunk)
            ledger.note("chunk")
    except ClientDisconnected:
        ledger.note("client disconnected")
        raise
    ledger.note("upload complete")
    return {"size_bytes": size_bytes, "sha256": digest.hexdigest()}


@in_both_lanes("/form", methods=["POST"])
def form() -> dict[str, str]:
    """The form's fields."""
    return dict(flask.request.form)


@in_both_lanes("/ignore", methods=["POST"])
def ignore() -> str:
    """Answer without looking at the body."""
    ledger.note("view entered")
    return "ignored"


asgi = flasync.ASGI(app)
