"""The lane of what is typed into Werkzeug's interactive debugger."""

from __future__ import annotations

from flasync.serving.settings import ASGIApplication, Receive, Scope, Send


class DebuggerLane:
    """An ASGI application around another that sends the debugger's own requests to a thread.

    What is typed into the debugger may block or call `await_`, and a wrong PIN is answered with a
    `time.sleep`: on the event loop, each would stop every other request.
    """

    def __init__(self, app: ASGIApplication) -> None:
        """Serve `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if b"__debugger__=yes" in scope.get("query_string", b""):
            scope = {**scope, "flasync.lane": "thread"}
        await self.app(scope, receive, send)
