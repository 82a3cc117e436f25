"""What the reloader serves in place of an app that an edit has broken."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def build_broken_app(error: BaseException) -> flask.Flask:
    """Return an app whose every request raises `error`, for the debugger or the server to show."""
    app = flask.Flask("broken", root_path=os.getcwd())

    def raise_error(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    app.wsgi_app = raise_error  # type: ignore[method-assign] # Flask's documented place.
    return app
