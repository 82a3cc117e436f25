"""flasync.Flask: the drop-in for `flask.Flask`, at once a WSGI and an ASGI application."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import flask

from flasync.asgi import ASGI
from flasync.lifespan import ServingHooks

F = TypeVar("F", bound=Callable[..., Any])


class Flask(flask.Flask):
    """A `flask.Flask` that ASGI servers can serve as it is, and WSGI servers as before.

    The object tells the two apart by the number of arguments that it is called with. Everything
    else is Flask's own. Takes the arguments of `flask.Flask`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.serving_hooks = ServingHooks()
        self._asgi = ASGI(self)

    def __call__(self, environ: Any, start_response: Any, send: Any = None) -> Any:
        """Serve a WSGI request, or an ASGI scope `(scope, receive, send)`.

        Returns:
            A WSGI iterable for two arguments, a coroutine for three.
        """
        if send is None:
            return self.wsgi_app(environ, start_response)
        return self._asgi(environ, start_response, send)

    def before_serving(self, func: F) -> F:
        """Register a function to run before the first request is served; see `ServingHooks`."""
        return self.serving_hooks.before_serving(func)

    def after_serving(self, func: F) -> F:
        """Register a function to run after the last request was served."""
        return self.serving_hooks.after_serving(func)

    def while_serving(self, func: F) -> F:
        """Register an async generator function around serving: it yields once."""
        return self.serving_hooks.while_serving(func)

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """Run a development ASGI server, with the reloader and the debugger of `flask.Flask.run`.

        Takes the arguments of `flask.Flask.run`.

        Raises:
            MissingExtraError: No ASGI server is installed.
        """
        # An import at the top would load a server in every process that merely defines an app.
        from flasync.serving.development import run  # noqa: PLC0415

        run(self, host, port, debug, load_dotenv, **options)


class _AsyncLooking:
    """A bound method that `inspect.iscoroutinefunction` takes for an `async def`.

    By that, uvicorn and Hypercorn tell ASGI applications from WSGI ones. Python 3.12 has
    `inspect.markcoroutinefunction` for this; before it, `inspect` looks at the code flags of
    whatever has the attributes of a function, and these are a coroutine function's.
    """

    __code__ = ASGI.__call__.__code__
    __defaults__ = __kwdefaults__ = None
    __name__ = "__call__"

    def __init__(self, app: Flask) -> None:
        self.__annotations__: dict[str, Any] = {}
        self._app = app

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _dual_call(self._app, *args, **kwargs)


_dual_call = Flask.__call__

if sys.version_info >= (3, 12):
    inspect.markcoroutinefunction(_dual_call)
else:
    Flask.__call__ = property(_AsyncLooking)  # type: ignore[method-assign,assignment]  # looks bound
