"""ASGI(app): any Flask object as a native ASGI 3 application; where the floors below meet."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from flask import Flask

from flasync import seams
from flasync.errors import UnsupportedScopeError
from flasync.exchange import Exchange, Send
from flasync.inbox import Receive
from flasync.lanes import Course, Lane, LaneChooser
from flasync.lifespan import ServingHooks
from flasync.runtime import Runtime
from flasync.threads import Lease
from flasync.wsgi.body import BodyReader
from flasync.wsgi.environ import Scope, build_environ


class ASGI:
    """An ASGI 3 application around a `flask.Flask` object, which keeps working under WSGI.

    Every request runs the app's own `wsgi_app`, middleware included. Async views overlap on the
    server's event loop, sync views run in worker threads.

        from flasync import ASGI
        asgi_app = ASGI(app)

    Args:
        app: A Flask object, or one of any subclass. Its settings (see `flasync.settings`) are
            read when serving begins.

    Raises:
        TypeError: `app` is not a Flask object.
    """

    def __init__(self, app: Flask) -> None:
        if not isinstance(app, Flask):
            raise TypeError(
                f"ASGI() got {app!r}, which is not a flask.Flask object. flasync runs Flask's own "
                "pipeline. Pass the Flask object itself, not a factory, a module or a middleware."
            )
        self.app = app
        self.hooks: ServingHooks = getattr(app, "serving_hooks", None) or ServingHooks()
        self.before_serving = self.hooks.before_serving
        self.after_serving = self.hooks.after_serving
        self.while_serving = self.hooks.while_serving
        self._chooser = LaneChooser(app)
        self._runtime: Runtime | None = None
        self._runtimes: WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime] = WeakKeyDictionary()
        seams.install(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope.

        Raises:
            UnsupportedScopeError: The scope's type is none of http, lifespan and websocket.
            BaseException: What the app itself lets through.

        Runs in: the event loop. Source: ASGI 3.0; HTTP and lifespan specs 2.5.
        """
        kind = scope["type"]
        if kind == "http":
            runtime = self._runtime
            if runtime is None or runtime.loop is not asyncio.get_running_loop():
                runtime = await self._start()
            await self._serve(runtime, scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await _refuse_websocket(scope, receive, send)
        else:
            raise UnsupportedScopeError(
                f"The server opened a scope of type {kind!r}. flasync serves http, websocket (by "
                "refusing it) and lifespan. Check the server's protocol settings."
            )

    async def _serve(self, runtime: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request in its lane."""
        exchange = Exchange(receive, send, runtime.settings, Lease(runtime.pool))
        environ = build_environ(scope, BodyReader(exchange.read_body), multithread=True)
        course = self._chooser.choose(environ)
        forced = scope.get("flasync.lane")
        if forced is not None:
            course = Course(Lane(forced), course.cancel_on_disconnect)
        runtime.enter()
        try:
            await exchange.run(self.app, environ, course)
        finally:
            runtime.leave()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Speak the lifespan protocol until shutdown. Source: ASGI lifespan spec 2.0."""
        await receive()
        try:
            runtime = await self._start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": _describe(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self._stop(runtime)
        except Exception as error:
            await send({"type": "lifespan.shutdown.failed", "message": _describe(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> Runtime:
        """Return the runtime of the running loop, started; whoever comes meanwhile waits."""
        loop = asyncio.get_running_loop()
        runtime = self._runtimes.get(loop)
        if runtime is None:
            runtime = self._runtimes[loop] = Runtime(self.app, self.hooks)
        try:
            await runtime.start()
        finally:
            if runtime.has_failed:
                self._runtimes.pop(loop, None)
        self._runtime = runtime
        return runtime

    async def _stop(self, runtime: Runtime) -> None:
        self._runtimes.pop(runtime.loop, None)
        self._runtime = None
        await runtime.stop()


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket: with a sentence where the server can send one, else with its 403.

    Source: ASGI WebSocket spec 2.5, "Close" and the extension "websocket.http.response".
    """
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "websocket.http.response.start", "status": 501, "headers": headers})
    body = b"This application does not serve WebSockets.\n"
    await send({"type": "websocket.http.response.body", "body": body})


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
