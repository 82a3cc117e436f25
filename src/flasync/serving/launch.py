"""`flasync serve`: from the options of the command to a running server."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import flask
from flask.helpers import get_debug_flag
from werkzeug.serving import is_running_from_reloader

from flasync.errors import AppStartError, FlasyncError, ServeOptionError
from flasync.serving import sockets, worker
from flasync.serving.access_log import AccessLog
from flasync.serving.broken_app import build_broken_app
from flasync.serving.certificates import resolve_certificate
from flasync.serving.development_server import (
    DevelopmentOptions,
    end_on_sigterm,
    run_development,
)
from flasync.serving.location import load_flask_app
from flasync.serving.probe import AppFacts, probe_app, read_facts
from flasync.serving.servers import Server, choose_server
from flasync.serving.settings import DEFAULT_HOST, DEFAULT_PORT, ServerSettings, Target
from flasync.serving.stop_witness import StopWitness


@dataclass(frozen=True, slots=True)
class Launch:
    """What `flasync serve` was asked for."""

    import_path: str | None = None
    """As `flask --app` takes it; None: `wsgi.py` or `app.py` in the current directory."""
    server: str | None = None
    """None: the first that is installed."""
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    workers: int = 1
    use_reloader: bool = False
    use_debugger: bool = False
    http2: bool = False
    ssl_context: Any = None
    """As `app.run()` takes it: None, "adhoc", (certificate, key) or a context."""
    access_log: bool = False

    def check(self) -> None:
        """Refuse combinations that cannot work.

        Raises:
            ServeOptionError: The reloader or the debugger with several workers.
        """
        for wanted, option in ((self.use_reloader, "--reload"), (self.use_debugger, "--debugger")):
            if wanted and self.workers > 1:
                raise ServeOptionError(
                    f"{option} works with one process and not with --workers {self.workers}:"
                    " a traceback, or a change, belongs to one of them. Drop --workers or"
                    f" {option}"
                )


def launch(order: Launch, announce: Callable[[str], object]) -> None:
    """Serve until a signal ends the server.

    Args:
        order: What to serve, and how.
        announce: Called once with a line to show, when the port is open.

    Raises:
        SystemExit: With 0 after a graceful stop; with the server's code when it failed.
        FlasyncError: What stands in the way, one line each; see `flasync.errors.SetupError`.
    """
    order.check()
    if order.use_reloader or order.use_debugger:
        _launch_development(order)
    else:
        _launch_production(order, announce)


def _launch_production(order: Launch, announce: Callable[[str], object]) -> None:
    server = choose_server(order.server)
    settings = ServerSettings(
        order.host,
        order.port,
        order.workers,
        order.http2,
        resolve_certificate(order.ssl_context, order.host),
    )
    server.check(settings)
    with sockets.bind_socket(order.host, order.port) as sock:
        end_on_sigterm()
        facts = _prepare(order, server)
        if not _is_parent_only(order, server):
            sockets.listen(sock)
        urls = sockets.list_urls(settings.scheme, order.host, sockets.get_port(sock))
        announce(_describe(facts, server, urls, order.workers))
        settings = settings.with_timeout(facts.graceful_timeout_s)
        if _is_parent_only(order, server):
            _run_as_parent(server, settings, sock)
        else:
            server.load().run(settings, sock)


def _is_parent_only(order: Launch, server: Server) -> bool:
    """Return whether this process serves nothing itself, but starts workers that do."""
    return order.workers > 1 or not server.serves_in_process


def _run_as_parent(server: Server, settings: ServerSettings, sock: socket.socket) -> None:
    """Run a server whose workers are processes, whose failures its exit code may not tell."""
    with StopWitness() as witness:
        try:
            server.load().run(settings, sock)
        except SystemExit:
            if witness.has_seen_stop():
                raise
        if witness.has_seen_stop():
            return
    raise AppStartError(
        f"{server.name} has ended although no signal told it to: a worker did not start, or failed."
        " Its log above says why; correct that, and start it again"
    )


def _prepare(order: Launch, server: Server) -> AppFacts:
    """Have the app ready in the process, or the processes, that will serve it."""
    if _is_parent_only(order, server):
        Target(order.import_path, order.access_log).publish()
        return probe_app(order.import_path)
    app = load_flask_app(order.import_path)
    asgi_app = worker.build_asgi_app(app)
    worker.prepare(AccessLog(asgi_app) if order.access_log else asgi_app)
    return read_facts(app)


def _describe(facts: AppFacts, server: Server, urls: Iterable[str], workers: int) -> str:
    count = f"{workers} worker{'s' if workers > 1 else ''}"
    return (
        f" * Serving Flask app {facts.name!r} on {' and '.join(urls)}"
        f" ({server.name}, {count}; CTRL+C quits)"
    )


def _launch_development(order: Launch) -> None:
    if order.use_reloader and not is_running_from_reloader():
        # The parent only restarts children. It learns whether the app starts at all, so that a
        # wrong --app ends the command; later, a broken edit must not.
        end_on_sigterm()
        probe_app(order.import_path)
    run_development(
        lambda: _load_or_mend(order.import_path),
        order.host,
        order.port,
        order.import_path,
        DevelopmentOptions(
            use_reloader=order.use_reloader,
            use_debugger=order.use_debugger,
            ssl_context=order.ssl_context,
            server=order.server,
            http2=order.http2,
            access_log=order.access_log,
            debug=get_debug_flag(),
        ),
    )


def _load_or_mend(import_path: str | None) -> flask.Flask:
    """Return the app; in a reloaded process whose app is broken, one that shows the error.

    As `flask run` does: the server stays up until an edit mends the app.
    """
    try:
        return load_flask_app(import_path)
    except FlasyncError as error:
        if not is_running_from_reloader():
            raise
        traceback.print_exception(error.__cause__ or error)
        return build_broken_app(error.__cause__ or error)
