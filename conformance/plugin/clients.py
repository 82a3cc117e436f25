"""Where the test clients' requests leave WSGI for ASGI."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import flask
import werkzeug.test

import flasync
import flasync.runtime
from flasync.stalls import Stall

from .exchange import Exchange
from .hosting import Host, install_lent_threads

try:
    import webtest
except ImportError:  # Only some suites use it.
    webtest = None

# By these a test reaches views, hooks and commands without a request.
CONTEXT_METHODS = ("app_context", "test_request_context", "test_cli_runner")

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Bridge:
    """Puts flasync between the test clients and the Flask applications that they call.

    Args:
        lane: The lane into which every request is forced, or None.
        lends: Whether a test's thread is lent to its requests as their worker; see `hosting`.

    Attributes:
        bridged: How many requests the ASGI application has served.
        direct: How many requests went straight to an application that is not Flask's.
        stalls: What flasync's guard said of code that held the loop.
    """

    def __init__(self, lane: str | None, lends: bool) -> None:
        self.lane, self.lends = lane, lends
        self.bridged = self.direct = 0
        self.stalls: list[str] = []
        self._open: set[Exchange] = set()

    def install(self) -> None:
        """Replace the one function through which each kind of client calls the application."""
        stock = werkzeug.test.run_wsgi_app

        @functools.wraps(stock)
        def run_wsgi_app(app: WSGI, environ: Environ, buffered: bool = False) -> Any:
            return stock(self.wrap(app), environ, buffered)

        # Flask itself calls this function as well, to make a response of an exception.
        werkzeug.test.run_wsgi_app = run_wsgi_app
        self._install_counter(werkzeug.test.Client)
        if webtest:
            self._install_webtest(webtest.TestApp)
        for name in CONTEXT_METHODS:
            install_asgi_first(name)
        hide_server_threads()
        self._install_listener()
        if self.lends:
            install_lent_threads()

    def _install_listener(self) -> None:
        """Hear of stalls before the application's log, which tests may silence."""
        stock = flasync.runtime.log_stall

        def log_stall(log: logging.Logger) -> Callable[[Stall], None]:
            report = stock(log)

            def listen(stall: Stall) -> None:
                self.stalls.append(str(stall))
                report(stall)

            return listen

        flasync.runtime.log_stall = log_stall

    def _install_counter(self, client_class: Any) -> None:
        stock = client_class.run_wsgi_app

        @functools.wraps(stock)
        def run_wsgi_app(client: Any, *args: Any, **kwargs: Any) -> Any:
            if find_flask(client.application) is None:
                self.direct += 1
            return stock(client, *args, **kwargs)

        client_class.run_wsgi_app = run_wsgi_app

    def _install_webtest(self, client_class: Any) -> None:
        stock = client_class.do_request

        @functools.wraps(stock)
        def do_request(client: Any, *args: Any, **kwargs: Any) -> Any:
            app = client.app
            client.app = self.wrap(app)
            try:
                return stock(client, *args, **kwargs)
            finally:
                client.app = app

        client_class.do_request = do_request

    def wrap(self, app: WSGI) -> WSGI:
        """A WSGI callable that runs the application through flasync, or the application itself."""
        flask_app = find_flask(app)
        if flask_app is None:
            return app
        return functools.partial(self._respond, get_asgi(flask_app))

    def _respond(
        self, asgi: flasync.ASGI, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        exchange = Exchange(asgi, environ, self.lane, Host() if self.lends else None)
        self._open.add(exchange)
        exchange.on_end = lambda: self._open.discard(exchange)
        try:
            exchange.advance()
        finally:
            self.bridged += 1
        start_response(exchange.status, exchange.headers)
        return exchange

    def close_abandoned(self) -> None:
        """End the responses that nobody read to their end: their clients are gone."""
        for exchange in list(self._open):
            exchange.close()


def install_asgi_first(name: str) -> None:
    """Give an application its `flasync.ASGI` before a test calls this method of it.

    What `ASGI` changes about the application is then in force without any request as well.
    """
    stock = getattr(flask.Flask, name)

    @functools.wraps(stock)
    def method(app: flask.Flask, *args: Any, **kwargs: Any) -> Any:
        get_asgi(app)
        return stock(app, *args, **kwargs)

    setattr(flask.Flask, name, method)


def hide_server_threads() -> None:
    """Leave flasync's threads out of `threading.enumerate()`.

    They stand for a server, which would be another process: a test that waits for the threads
    that its own views have started would wait for ever.
    """
    stock = threading.enumerate

    def enumerate() -> list[threading.Thread]:
        return [thread for thread in stock() if not thread.name.startswith("flasync-")]

    threading.enumerate = enumerate


def find_flask(app: object) -> flask.Flask | None:
    """The Flask application that a client was given: itself or one of its two WSGI methods."""
    if isinstance(app, flask.Flask):
        return app
    owner = getattr(app, "__self__", None)
    if isinstance(owner, flask.Flask) and app in (owner.wsgi_app, owner.__call__):
        return owner
    return None


def get_asgi(app: flask.Flask) -> flasync.ASGI:
    """The one `flasync.ASGI` of a Flask application.

    It is kept on the application itself: a table would keep every application of a suite alive.
    """
    if "_flasync_conformance" not in vars(app):
        vars(app)["_flasync_conformance"] = flasync.ASGI(app)
    return vars(app)["_flasync_conformance"]
