"""The control run: no flasync, but each request in another thread than the test's.

That is what any threaded WSGI server does. A test that comes to something else here as well does
not find a fault of flasync: it relies on its requests being served by its own thread.
"""

from __future__ import annotations

import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import werkzeug.test

from .clients import WSGI, Environ, find_flask


class ThreadedControl:
    """Runs the clients' requests to Flask applications in one worker thread."""

    bridged = direct = 0
    stalls: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, "control")

    def install(self) -> None:
        """Replace the function through which Werkzeug's client calls the application."""
        stock = werkzeug.test.run_wsgi_app

        @functools.wraps(stock)
        def run_wsgi_app(app: WSGI, environ: Environ, buffered: bool = False) -> Any:
            if find_flask(app) is None:
                return stock(app, environ, buffered)
            context = contextvars.copy_context()
            return self._worker.submit(context.run, stock, app, environ, buffered).result()

        werkzeug.test.run_wsgi_app = run_wsgi_app

    def close_abandoned(self) -> None:
        """Do nothing: what is not read is left to reference counting, as in a stock run."""
