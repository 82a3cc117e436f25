"""WSGI middleware put around an app for as long as the development server serves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import flask
from werkzeug.debug import DebuggedApplication
from werkzeug.middleware.shared_data import SharedDataMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def replaced_wsgi_app(app: flask.Flask, replacement: WSGIApplication) -> Iterator[None]:
    """Set `app.wsgi_app`, Flask's documented place of middleware, and take it back at the end."""
    plain = app.wsgi_app
    app.wsgi_app = replacement  # type: ignore[assignment, method-assign] # As Flask documents.
    try:
        yield
    finally:
        app.wsgi_app = plain  # type: ignore[method-assign]


def build_debugger(app: flask.Flask, host: str, *, use_evalex: bool) -> WSGIApplication:
    """Return the app in Werkzeug's interactive debugger.

    Args:
        app: The app.
        host: The name that the debugger may be used under, besides localhost.
        use_evalex: Whether expressions can be evaluated in the frames of a traceback.
    """
    debugged = DebuggedApplication(app.wsgi_app, evalex=use_evalex)
    debugged.trusted_hosts.append(host)
    return debugged


def build_static_files(
    app: flask.Flask, exports: Mapping[str, str | tuple[str, str]]
) -> WSGIApplication:
    """Return the app behind files: a mapping of URL prefixes to folders or (package, folder)."""
    return SharedDataMiddleware(app.wsgi_app, dict(exports))
