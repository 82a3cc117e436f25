"""One HTTP exchange: a request, its run through the app in one lane, and its response.

The order of events is the same in both lanes:

1. The app's WSGI pipeline starts in a request greenlet. Flask pushes its contexts, runs hooks and
   the view, and pops the contexts: teardown, in the pipeline's `finally`.
2. The pipeline returns an iterable. Each piece of it is sent before the next is asked for.
3. The iterable is closed: `call_on_close`, generators' `finally`, kept contexts' teardown.

The client is watched from the first moment at which the request waits; before that, nobody could
act on its departure. When it leaves, the request is cancelled: where it waits, `CancelledError`
is raised, and steps 1 to 3 unwind in their own order. A thread at work is not interrupted; it is
told at its next wait. What the app sends to a client that has left is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from flasync import instruments
from flasync.bridge import await_, drive, shield
from flasync.errors import ClientGone
from flasync.inbox import READ_AHEAD_BYTES, Inbox, Receive
from flasync.lanes import Course, Lane
from flasync.outcome import spawn
from flasync.settings import Settings
from flasync.threads import Lease, ThreadRun, current_lease
from flasync.wsgi.environ import Environ
from flasync.wsgi.response import Message, ResponseHead, build_messages

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger("flasync")

# The environ of an exchange that is over.
_OVER: Environ = {"REQUEST_METHOD": "-", "PATH_INFO": "-"}


class Exchange:
    """A request under way.

    Args:
        receive: The server's `receive`.
        send: The server's `send`.
        settings: The app's settings.
        lease: The request's claim on a worker thread, not yet used.
    """

    __slots__ = (
        "_application",
        "_baseline",
        "_cancels",
        "_deadline",
        "_environ",
        "_inbox",
        "_lease",
        "_run",
        "_send",
        "_settings",
        "_task",
        "_watch",
    )

    def __init__(self, receive: Receive, send: Send, settings: Settings, lease: Lease) -> None:
        self._inbox = Inbox(receive, settings.body_timeout_s)
        self._send = send
        self._settings = settings
        self._lease = lease
        self._run: ThreadRun | None = None
        self._task: asyncio.Task[Any] | None = None
        self._baseline = 0
        self._watch: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def __str__(self) -> str:
        """Return the request as "GET /path"."""
        return f"{self._environ['REQUEST_METHOD']} {self._environ['PATH_INFO']}"

    def read_body(self) -> bytes:
        """Return the next piece of the body, `b""` at its end; see `Inbox.read`.

        Runs in: the request's lane. Switches: while nothing has arrived.
        """
        piece = self._inbox.take()
        return await_(self._inbox.read()) if piece is None else piece

    async def run(self, application: Callable[..., Any], environ: Environ, course: Course) -> None:
        """Run the request through a WSGI application and send its response.

        Raises:
            BaseException: What the application raises; what the server's `send` raises, save the
                OSError that says that the client has left.

        Runs in: the event loop. Switches: whenever the request waits.
        """
        self._application = application
        self._environ = environ
        cancels = course.cancel_on_disconnect
        self._cancels = self._settings.cancel_on_disconnect if cancels is None else cancels
        current_lease.set(self._lease)
        if "CONTENT_LENGTH" in environ and _is_small(environ):
            await self._inbox.prefetch()
        watcher = instruments.watcher
        if watcher is not None:
            watcher.receive(environ, course.lane.value)
        try:
            if course.lane is Lane.LOOP:
                await drive(self._respond, self._arm_watch)
            else:
                self._run = ThreadRun(self._lease, self._respond, self._deliver, self._arm_watch)
                await self._run.drive()
        except asyncio.CancelledError:
            if not self._take_back():
                raise
        finally:
            self._finish()
            if watcher is not None:
                watcher.end()

    def _respond(self) -> None:
        """Run the pipeline and its response to the end. Runs in: a request greenlet."""
        environ = self._environ
        head = ResponseHead(environ["REQUEST_METHOD"], self._write)
        chunks: Iterable[bytes] = ()
        try:
            chunks = self._application(environ, head.start_response)
            for messages in build_messages(head, chunks):
                if not self._emit(messages):
                    break
        finally:
            try:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()
            finally:
                for stream in environ.get("flasync.streams", ()):
                    stream.close()

    def _emit(self, messages: list[Message]) -> bool:
        """Send messages; return whether the client is still there.

        In a thread, the last ones are sent while the thread goes on to close the response.
        """
        if self._run is None:
            await_(self._deliver(messages))
        elif messages[-1].get("more_body"):
            self._lease.parking = False
            await_(self._deliver(messages))
        else:
            shield()  # to the end of this greenlet: the sending and the closing fail apart
            self._run.post(messages)
        return not self._inbox.disconnected

    def _write(self, messages: list[Message]) -> None:
        """Send what the application writes by the deprecated `write` of WSGI."""
        if messages and not self._emit(messages):
            raise ClientGone(
                "write() was called after the client had left. The rest of the response has no "
                "reader. Let the exception end the WSGI application."
            )

    async def _deliver(self, messages: list[Message]) -> None:
        """Send messages to the server, unless the client has left. Runs in: the event loop."""
        streams = messages[-1].get("more_body", False)
        if self._settings.response_timeout_s is not None and self._deadline is None:
            self._start_deadline(self._settings.response_timeout_s)
        if streams and self._watch is None:
            self._arm_watch()
        watcher = instruments.watcher
        if watcher is not None:
            watcher.send(messages)
        try:
            for message in messages:
                if self._inbox.disconnected:
                    return
                await self._send(message)
        except OSError:  # ASGI 2.4: the client has left; older servers silently drop
            self._inbox.disconnected = True
        finally:
            if watcher is not None:
                watcher.sent()
        if streams and self._run is None:
            await asyncio.sleep(0)  # a stream that never waits must not keep the loop to itself

    def _arm_watch(self) -> bool:
        """Watch for the client's departure; return whether a watch is now set."""
        if self._watch is not None:
            return True
        if self._inbox.receiving:
            return False  # whoever receives will notice
        if not self._inbox.wanted and "HTTP_EXPECT" in self._environ:
            return False  # to receive would tell the client to send a body that nobody wants
        task = asyncio.current_task()
        if task is None:
            return True  # the server steps us without a task: there is nothing to cancel
        # Past the task factory: it needs no greenlet, which a child task of the request gets.
        self._watch = spawn(self._inbox.watch(), None)
        self._watch.add_done_callback(lambda watch: self._on_departure(watch, task))
        return True

    def _on_departure(self, watch: asyncio.Task[None], task: asyncio.Task[Any]) -> None:
        if watch.cancelled():
            return
        error = watch.exception()
        if error is not None:
            _log.warning(
                "The server's receive() failed; the client counts as gone.", exc_info=error
            )
            self._inbox.disconnected = True
        if self._cancels and self._inbox.disconnected:
            self._cancel(task)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        """Cancel the server's task for this request, once."""
        if self._task is None:
            self._task = task
            self._baseline = task.cancelling()
            task.cancel()

    def _take_back(self) -> bool:
        """Undo our cancellation; return whether it was the only one that came since."""
        task, self._task = self._task, None
        return task is not None and task.uncancel() <= self._baseline

    def _start_deadline(self, timeout_s: float) -> None:
        task = asyncio.current_task()
        if task is not None:
            loop = task.get_loop()
            self._deadline = loop.call_later(timeout_s, self._on_deadline, task, timeout_s)

    def _on_deadline(self, task: asyncio.Task[Any], timeout_s: float) -> None:
        _log.warning(
            "The response to %s was not sent within app.config['RESPONSE_TIMEOUT'] = %s s. "
            "It is cut off.",
            self,
            timeout_s,
        )
        self._inbox.disconnected = True
        self._cancel(task)

    def _finish(self) -> None:
        """Leave nothing behind: no watch, no timer, no cancellation of ours, no thread held."""
        self._cancels = False  # should the watch have just ended
        if self._watch is not None:
            self._watch.cancel()
        if self._deadline is not None:
            self._deadline.cancel()
        self._take_back()
        self._lease.close()
        self._run = None  # both refer back to us: no garbage for the collector
        self._environ = _OVER


def _is_small(environ: Environ) -> bool:
    """Whether a request's body may be received before the request begins.

    Then a slow upload keeps no thread, and reading it is free. A client that asks first
    (`Expect: 100-continue`) is not told to send before the app wants the body.
    """
    length = environ["CONTENT_LENGTH"]
    return length.isdigit() and int(length) <= READ_AHEAD_BYTES and "HTTP_EXPECT" not in environ
