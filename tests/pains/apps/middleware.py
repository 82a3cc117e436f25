"""WSGI middleware around `app.wsgi_app`, as its documentation shows it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__, static_folder=None)
ledger = Ledger()
ledger.init_app(app)


def describe() -> dict[str, object]:
    """What ProxyFix lets the app see."""
    return {
        "remote_addr": flask.request.remote_addr,
        "url": flask.request.url,
        "script_root": flask.request.script_root,
        "secure": flask.request.is_secure,
        "route": flask.request.environ.get("app.note"),
    }


@app.get("/sync")
def sync_view() -> dict[str, object]:
    """Thread lane."""
    return describe()


@app.get("/async")
async def async_view() -> dict[str, object]:
    """Loop lane."""
    await asyncio.sleep(0)
    return describe()


@app.get("/async-error")
async def async_error() -> str:
    """An error."""
    await asyncio.sleep(0)
    raise LookupError("nothing here")


second = flask.Flask("second")


@second.get("/sync")
def second_sync() -> str:
    """A view of the second app."""
    return f"second app, sync, below {flask.request.script_root}"


@second.get("/async")
async def second_async() -> str:
    """An async view of the second app."""
    await asyncio.sleep(0)
    return f"second app, async, below {flask.request.script_root}"


def plain_wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A WSGI app that is no Flask app."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"plain ", b"WSGI ", environ["PATH_INFO"].encode("latin-1")]


class AddNote:
    """Middleware of the project's own: a key in, a header out."""

    def __init__(self, wsgi_app: Any) -> None:
        """Wrap."""
        self.wsgi_app = wsgi_app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass on."""
        environ["app.note"] = "noted"

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("X-Note", "noted")], *rest)

        return self.wsgi_app(environ, start)


app.wsgi_app = AddNote(app.wsgi_app)
app.wsgi_app = WhiteNoise(app.wsgi_app, root=Path(__file__).with_name("static"), prefix="assets/")
asgi = flasync.ASGI(app)
# Set after the app was wrapped, as an extension that is initialised late would.
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/second": second, "/plain": plain_wsgi})
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
