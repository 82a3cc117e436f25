"""The app as stock Flask on a threaded WSGI server: a program, run in a process of its own.

gunicorn with threads where it is installed, as most Flask apps are deployed; else Werkzeug's
threaded server, which starts a thread for each connection.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import flask
from werkzeug.serving import make_server

from flasync.errors import AppNotFoundError, FlasyncError
from flasync.serving.location import load_flask_app
from flasync.serving.probe import probe_app
from flasync.toolkit.verifying.bystander import add_bystander
from flasync.workers import DEFAULT_THREADS

_LOOPBACK = "127.0.0.1"

# As many as flasync has for sync views: the comparison is of stacks, not of settings.
THREADS = DEFAULT_THREADS

# The exit codes of `flasync serve`.
_EXIT_USAGE = 2
_EXIT_NOT_STARTED = 3

# Requests that wait for their turn are to wait, however many are sent at once.
_BACKLOG = 4096


def name_stack() -> str:
    """Return what `main` serves with, as "Flask on gunicorn, 40 threads"."""
    if importlib.util.find_spec("gunicorn") is not None:
        return f"Flask on gunicorn, {THREADS} threads"
    return "Flask on Werkzeug's server, a thread for each request"


def main() -> None:
    """Serve the app that the first argument names, or that of the directory, until a signal."""
    import_path = sys.argv[1] if sys.argv[1:] else None
    try:
        if importlib.util.find_spec("gunicorn") is not None:
            _run_gunicorn(import_path)
        else:
            _run_werkzeug(import_path)
    except FlasyncError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(_EXIT_USAGE if isinstance(error, AppNotFoundError) else _EXIT_NOT_STARTED)


def _load(import_path: str | None) -> flask.Flask:
    app = load_flask_app(import_path)
    add_bystander(app)
    return app


def _run_gunicorn(import_path: str | None) -> None:
    # Inside the function: it is not installed everywhere, and it has no types.
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # noqa: PLC0415

    class Application(BaseApplication):  # type: ignore[misc] # gunicorn has no types
        """gunicorn with our settings, and with none from files or the command line."""

        def load_config(self) -> None:
            settings: dict[str, Any] = {
                "bind": f"{_LOOPBACK}:0",
                "workers": 1,
                "worker_class": "gthread",
                "threads": THREADS,
                "backlog": _BACKLOG,
                "worker_connections": _BACKLOG,
                "timeout": 0,
                "control_socket_disable": True,  # newer versions have one, in the user's home
                # The worker has loaded the app by then.
                "post_worker_init": _announce_worker,
            }
            for name, value in settings.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> flask.Flask:
            return _load(import_path)

    # A worker that cannot load the app ends with gunicorn's code for it, whatever is wrong.
    probe_app(import_path)
    Application().run()


def _announce_worker(worker: Any) -> None:
    _announce(worker.wsgi, worker.sockets[0].getsockname()[1])


def _run_werkzeug(import_path: str | None) -> None:
    app = _load(import_path)
    server = make_server(_LOOPBACK, 0, app, threaded=True)
    _announce(app, server.server_port)
    server.serve_forever()


def _announce(app: flask.Flask, port: int) -> None:
    """Say, as `flasync serve` does, where the app is served."""
    print(f" * Serving Flask app {app.name!r} on http://{_LOOPBACK}:{port} (WSGI)", flush=True)


if __name__ == "__main__":
    main()
