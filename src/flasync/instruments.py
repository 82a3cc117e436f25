"""What the runtime tells whoever watches its requests; it knows no watcher itself.

A process has one `Watcher` at most. Without one, each place that would tell it something tests
one attribute. The life of a request, in the order of the calls:

    receive   it has come, and its lane is chosen
    queue     it needs a worker thread and waits for its turn; streams come here again and again
    run       a stretch begins: its greenlet runs, on the event loop or in the worker thread
    pause     the stretch has ended: the greenlet waits, or is finished
    send      messages go to the server
    sent      the server has taken them, or the client has left
    end       the response is closed and torn down

`run` and `pause` come for every greenlet of a request: that of the pipeline, those of child tasks
and of `run_sync`; a child task that outlives its request is told after `end`. The others come in
the server's task for the request. All of them see the request's one Context, or a copy of it in
child tasks: so a watcher sets a `ContextVar` in `receive` and finds its record by it. For `run`
and `pause` it is in `greenlet.gr_context`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from greenlet import greenlet

from flasync.errors import SettingError

# Names, as "module:function", who makes a watcher of the Flask object when serving begins.
VARIABLE = "FLASYNC_WATCHER"


class Watcher:
    """Told of the requests of a process; here, every method does nothing.

    No method may raise or wait: it runs in the middle of a request.
    """

    def receive(self, environ: Mapping[str, Any], lane: str) -> None:
        """Take note of a new request. Runs in: its Context, on the event loop.

        Args:
            environ: As the app gets it.
            lane: "loop" or "thread".
        """

    def queue(self, threads: int) -> None:
        """Take note that the request waits for one of so many worker threads; `run` ends it."""

    def run(self, greenlet: greenlet, lane: str) -> None:
        """Take note of a stretch that begins. Runs in: the loop's thread, or the worker thread."""

    def pause(self, greenlet: greenlet, awaited: object) -> None:
        """Take note of a stretch that has ended, where it ran.

        Args:
            greenlet: A `BridgeGreenlet`; it is `busy` if it waits. `bridge.walk_frames` tells
                where.
            awaited: What it waits for: a future on the loop, an awaitable in a thread.
        """

    def send(self, messages: list[Any]) -> None:
        """Take note of ASGI messages on their way to the server; they may still be changed."""

    def sent(self) -> None:
        """Take note that the server has the messages."""

    def end(self) -> None:
        """Take note that the request is over, however it ended."""


# The one who watches this process, if anybody does.
watcher: Watcher | None = None


def set_watcher(new: Watcher | None) -> None:
    """Have `new` told of the requests that begin from now on; None: nobody. Runs in: any thread."""
    global watcher  # noqa: PLW0603  the one state of the process
    watcher = new


def load_watcher(app: Any) -> None:
    """Set the watcher that the environment names, unless there is one already.

    Args:
        app: The Flask object, with which the named function is called.

    Raises:
        SettingError: The variable names nothing that can be imported.
    """
    target = os.environ.get(VARIABLE)
    if target is None or watcher is not None:
        return
    module, _, name = target.partition(":")
    try:
        build = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(
            f"{VARIABLE} is {target!r}, which cannot be imported: {error}. Name a function as"
            " 'module:function', or unset the variable."
        ) from error
    set_watcher(build(app))
