"""The development server: one process, reloader, debugger, and Flask's banner and request lines."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import FrameType
from typing import Any

import flask
from flask.cli import show_server_banner
from werkzeug.serving import is_running_from_reloader

from flasync.errors import ServeOptionError
from flasync.serving import sockets, worker
from flasync.serving.access_log import AccessLog, get_console, style
from flasync.serving.certificates import resolve_certificate
from flasync.serving.debugger_lane import DebuggerLane
from flasync.serving.middleware import build_debugger, build_static_files, replaced_wsgi_app
from flasync.serving.reloader import WatchOptions, serve_until_change, supervise
from flasync.serving.servers import Server, choose_server
from flasync.serving.settings import ASGIApplication, ServerSettings

# Seconds that running requests get at a reload or Ctrl+C. Who edits a file waits for this;
# Werkzeug's server gives them none.
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class DevelopmentOptions:
    """The options of `app.run()`, named as `werkzeug.serving.run_simple` names them."""

    use_reloader: bool = False
    use_debugger: bool = False
    use_evalex: bool = True
    extra_files: Iterable[str] | None = None
    exclude_patterns: Iterable[str] | None = None
    reloader_interval: float = 1
    reloader_type: str = "auto"
    static_files: Mapping[str, str | tuple[str, str]] | None = None
    ssl_context: Any = None
    server: str | None = None
    """Name of an ASGI server; None: the first that is installed."""
    http2: bool = False
    access_log: bool = True
    debug: bool = False
    """What the banner says of debug mode."""

    @property
    def watch_options(self) -> WatchOptions:
        """The part that is the reloader's."""
        return WatchOptions(
            self.extra_files, self.exclude_patterns, self.reloader_interval, self.reloader_type
        )


def run_development(
    load_app: Callable[[], flask.Flask],
    host: str,
    port: int,
    name: str | None,
    options: DevelopmentOptions,
) -> None:
    """Serve an app until a signal ends it, restarting it at file changes if that is wanted.

    Args:
        load_app: Returns the app; called only in the process that serves.
        host: Where to listen.
        port: 0 for any free port.
        name: What the banner calls the app.
        options: Everything else.

    Raises:
        SystemExit: With 0 after SIGTERM; with the server's code when it failed.
        MissingExtraError: The server, or what an ad-hoc certificate needs, is not installed.
        ServeOptionError: The server cannot honour an option.
        AddressError: The port cannot be bound.
    """
    server = choose_server(options.server)
    _check_thread(server, options)
    settings = ServerSettings(
        host=host,
        port=port,
        http2=options.http2,
        certificate=resolve_certificate(options.ssl_context, host),
        graceful_timeout_s=_GRACE_S,
        development=True,
    )
    server.check(settings)
    watch_options = options.watch_options
    watch_options.build_loop()  # Refuses an unknown type before anything has started.
    if is_running_from_reloader():
        sock = sockets.take_from_parent(host)
    else:
        sock = sockets.bind_socket(host, port)
        _announce(name, settings, sock, options)
        if options.use_reloader:
            sockets.pass_to_children(sock, as_socket=server.serves_in_process)
            sys.exit(supervise(watch_options))
    _serve(server, settings, sock, load_app, options)


def _announce(
    name: str | None, settings: ServerSettings, sock: socket.socket, options: DevelopmentOptions
) -> None:
    """Print what Flask prints when its server starts, at the same two places."""
    show_server_banner(options.debug, name)
    console = get_console()
    warning = (
        "WARNING: This is a development server. Do not use it in a production deployment."
        " Use `flasync serve` or another ASGI server instead."
    )
    console.info(style(warning, fg="red", bold=True))
    for url in sockets.list_urls(settings.scheme, settings.host, sockets.get_port(sock)):
        console.info(" * Running on %s", url)
    console.info(style("Press CTRL+C to quit", fg="yellow"))


def _check_thread(server: Server, options: DevelopmentOptions) -> None:
    if threading.current_thread() is threading.main_thread():
        return
    if options.use_reloader:
        raise ServeOptionError(
            "The reloader works only in the main thread, because it handles signals. Call"
            " app.run(use_reloader=False) in other threads"
        )
    if server.name != "uvicorn":
        raise ServeOptionError(
            f"{server.name} runs only in the main thread, because it handles signals. Serve from"
            " other threads with uvicorn: pip install 'flasync[serve]'"
        )


def _serve(
    server: Server,
    settings: ServerSettings,
    sock: socket.socket,
    load_app: Callable[[], flask.Flask],
    options: DevelopmentOptions,
) -> None:
    end_on_sigterm()
    with ExitStack() as stack:
        app = load_app()
        worker.prepare(_build_app(app, settings.host, options, stack))
        try:
            if is_running_from_reloader():
                serve_until_change(lambda: server.load().run(settings, sock), options.watch_options)
            else:
                server.load().run(settings, sock)
        except KeyboardInterrupt:
            pass  # Ctrl+C ends `app.run()`, and the script goes on after it, as with Werkzeug.


def end_on_sigterm() -> None:
    """Make SIGTERM end this process with code 0 wherever no server handles it."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)


def _build_app(
    app: flask.Flask, host: str, options: DevelopmentOptions, stack: ExitStack
) -> ASGIApplication:
    """Return the app in what the options put around it, until `stack` is closed."""
    if options.static_files:
        static = build_static_files(app, options.static_files)
        stack.enter_context(replaced_wsgi_app(app, static))
    if options.use_debugger:
        debugger = build_debugger(app, host, use_evalex=options.use_evalex)
        stack.enter_context(replaced_wsgi_app(app, debugger))
    asgi_app = worker.build_asgi_app(app)
    if options.use_debugger:
        asgi_app = DebuggerLane(asgi_app)
    return AccessLog(asgi_app) if options.access_log else asgi_app
