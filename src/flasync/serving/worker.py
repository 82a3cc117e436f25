"""The importable module that every server loads its app from, in whatever process that is.

Servers differ in how they pass an app to a worker process; all of them can call a function of a
module there. So `TARGET` is the one target that flasync gives to any of them. In a process that
has prepared the app already (one worker, or the development server), `load` returns that app.
"""

from __future__ import annotations

from typing import cast

import flask

import flasync
from flasync.serving.access_log import AccessLog
from flasync.serving.location import load_flask_app
from flasync.serving.settings import ASGIApplication, Target

MODULE = "flasync.serving.worker"
TARGET = f"{MODULE}:load"

_prepared: list[ASGIApplication] = []


def build_asgi_app(app: flask.Flask) -> ASGIApplication:
    """Return what an ASGI server calls: a `flasync.Flask` itself, any other app wrapped."""
    if isinstance(app, flasync.Flask):
        return cast(ASGIApplication, app)
    return cast(ASGIApplication, flasync.ASGI(app))


def prepare(app: ASGIApplication) -> None:
    """Make `load` return `app` in this process."""
    _prepared[:] = [app]


def load() -> ASGIApplication:
    """Return the app of this process, found and wrapped on the first call.

    Raises:
        AppNotFoundError: There is no Flask app where the target points.
        AppStartError: The app failed while it was imported or built.
    """
    if not _prepared:
        target = Target.from_environ()
        asgi_app = build_asgi_app(load_flask_app(target.import_path))
        prepare(AccessLog(asgi_app) if target.access_log else asgi_app)
    return _prepared[0]
