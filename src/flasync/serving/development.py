"""`app.run()`: Flask's conventions for it, kept word for word, in front of the ASGI server."""

from __future__ import annotations

import os
from typing import Any

import click
import flask
from flask.cli import load_dotenv as load_dotenv_files
from flask.helpers import get_debug_flag, get_load_dotenv
from werkzeug.serving import is_running_from_reloader

from flasync.serving.access_log import get_console
from flasync.serving.development_server import DevelopmentOptions, run_development
from flasync.serving.settings import DEFAULT_HOST, DEFAULT_PORT

# Options of werkzeug.serving.run_simple that mean nothing here: the value that asks for what
# happens anyway, and what happens.
_WITHOUT_EFFECT: dict[str, tuple[Any, str]] = {
    "threaded": (True, "requests always overlap; WORKER_THREADS = 1 serialises the sync views"),
    "processes": (1, "app.run() serves in one process; for more: flasync serve --workers"),
    "request_handler": (None, "an ASGI server has no request handler class"),
    "passthrough_errors": (False, "the ASGI server outlives errors of the app"),
}


def run(
    app: flask.Flask,
    host: str | None = None,
    port: int | None = None,
    debug: bool | None = None,
    load_dotenv: bool = True,
    **options: Any,
) -> None:
    """Serve `app` on the development server until Ctrl+C, as `flask.Flask.run` does.

    Args:
        app: The app.
        host: None: the host in `SERVER_NAME`, or 127.0.0.1.
        port: None: the port in `SERVER_NAME`, or 5000; 0: any free port.
        debug: Sets `app.debug`; None: as it is, or as `FLASK_DEBUG` says.
        load_dotenv: Whether `.env` and `.flaskenv` are loaded.
        **options: Those of `werkzeug.serving.run_simple`, and `server`.

    Raises:
        TypeError: There is no such option.
        MissingExtraError: No ASGI server is installed.
        AddressError: The port cannot be bound.

    Source: flask.Flask.run.
    """
    if _is_run_by_a_command():
        return
    if get_load_dotenv(load_dotenv):
        load_dotenv_files()
        if "FLASK_DEBUG" in os.environ:
            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)
    options["debug"] = app.debug
    options.setdefault("use_reloader", app.debug)
    options.setdefault("use_debugger", app.debug)
    host, port = _choose_address(app, host, port)
    try:
        run_development(lambda: app, host, port, app.name, _parse_options(options))
    finally:
        # As Flask does: the server may be started again, from an interactive shell.
        app._got_first_request = False


def _is_run_by_a_command() -> bool:
    """Return whether a CLI command imports the app, whose unguarded `app.run()` would block it."""
    if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        return False
    if not is_running_from_reloader():
        click.secho(
            " * Ignoring a call to 'app.run()' that would block the current CLI command.\n"
            "   Only call 'app.run()' in an 'if __name__ == \"__main__\"' guard.",
            fg="red",
            err=True,
        )
    return True


def _choose_address(app: flask.Flask, host: str | None, port: int | None) -> tuple[str, int]:
    name_host, _, name_port = (app.config.get("SERVER_NAME") or "").partition(":")
    if not host:
        host = name_host or DEFAULT_HOST
    if port is None:
        port = int(name_port or DEFAULT_PORT)
    return host, int(port)


def _parse_options(options: dict[str, Any]) -> DevelopmentOptions:
    for name, (harmless, reason) in _WITHOUT_EFFECT.items():
        if options.pop(name, harmless) != harmless and not is_running_from_reloader():
            get_console().warning(" * The option %r of app.run() has no effect: %s", name, reason)
    unknown = options.keys() - DevelopmentOptions.__slots__
    if unknown:
        raise TypeError(f"run() got an unexpected keyword argument {min(unknown)!r}")
    return DevelopmentOptions(**options)
