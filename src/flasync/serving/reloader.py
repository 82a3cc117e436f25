"""Restarting the development server when a file changes.

Werkzeug's reloader runs its server in a thread and drops it at a change, and kills it at a stop.
An ASGI server handles signals in its main thread and has shutdown hooks to run. So the roles are
swapped here: the server has the main thread of the child process, and Werkzeug's file watchers
run in a thread beside it. Parent and child then go through these states:

* The parent binds the socket, starts the child with `WERKZEUG_RUN_MAIN=true` (by which apps know
  that they are the serving process), and waits for it.
* The child serves. At a change its watcher sends SIGTERM to the child itself: the server stops
  gracefully, hooks included, and the child ends with `RELOAD_EXIT_CODE`.
* At that code the parent starts the next child; at any other it ends with the same code.
* A stop signal to the parent goes on to the child, which the parent waits for. No other child
  follows, whatever this one was doing: it may have been stopping for a change already, or starting.

A child whose server failed waits for the next change instead of ending: the change that is going
to mend it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType

# Private to Werkzeug, and what Flask-SocketIO and django-extensions use as well: file watching
# has no public name. Only the class, its `run` and its context manager are relied upon.
from werkzeug._reloader import ReloaderLoop, ensure_echo_on, reloader_loops

from flasync.errors import ServeOptionError
from flasync.serving.access_log import get_console
from flasync.serving.stop_witness import STOP_SIGNALS

# Werkzeug's own code, 3, is uvicorn's for "the app did not start". This is EX_TEMPFAIL of sysexits.
RELOAD_EXIT_CODE = 75

# With these a child ends that was told to stop while it reloaded, or before it handled signals.
_OBEDIENT_EXIT_CODES = (RELOAD_EXIT_CODE, *(-number for number in STOP_SIGNALS))


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What is watched, as `werkzeug.serving.run_simple` names it."""

    extra_files: Iterable[str] | None = None
    exclude_patterns: Iterable[str] | None = None
    reloader_interval: float = 1
    """Seconds between two looks; 1 is Werkzeug's."""
    reloader_type: str = "auto"
    """"stat", "watchdog", or "auto": watchdog if it is installed and works with Werkzeug."""

    def build_loop(self) -> ReloaderLoop:
        """Return Werkzeug's file watcher.

        Raises:
            ServeOptionError: There is no reloader of that type.
        """
        if self.reloader_type not in reloader_loops:
            raise ServeOptionError(
                f"There is no reloader_type {self.reloader_type!r}."
                f" Choose one of: {', '.join(sorted(reloader_loops))}"
            )
        return reloader_loops[self._choose_type()](
            extra_files=self.extra_files,
            exclude_patterns=self.exclude_patterns,
            interval=self.reloader_interval,
        )

    def _choose_type(self) -> str:
        if self.reloader_type == "auto" and not _watchdog_sees_modules():
            return "stat"
        return self.reloader_type


def _watchdog_sees_modules() -> bool:
    """Return whether watchdog is installed and matches Werkzeug's pattern with nested files.

    Since watchdog 7, `*.py` matches no path with a folder in it, and with Werkzeug 3.1 the
    reloader then never sees a change, without a word.
    """
    if importlib.util.find_spec("watchdog") is None:
        return False
    patterns = importlib.import_module("watchdog.utils.patterns")
    return bool(patterns.match_any_paths(["/folder/module.py"], included_patterns=["*.py"]))


def supervise(options: WatchOptions) -> int:
    """Run this same command in child processes, one after another, until one ends for good.

    Returns:
        The exit code of the last child; 0 after a stop signal that it obeyed.
    """
    supervisor = _Supervisor(options.build_loop().name)
    previous = {number: signal.signal(number, supervisor.stop) for number in STOP_SIGNALS}
    try:
        return supervisor.run()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Supervisor:
    """Starts the children, and passes stop signals on to the one that is there."""

    def __init__(self, loop_name: str) -> None:
        self._loop_name = loop_name
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Handle a stop signal, which may come at any moment between two children as well."""
        self._is_stopping = True
        if self._child is not None:
            # A terminal's Ctrl+C has reached the child already, and a server takes a second SIGINT
            # for "at once"; a second SIGTERM says nothing new.
            self._child.send_signal(signal.SIGTERM)

    def run(self) -> int:
        while True:
            get_console().info(" * Restarting with %s", self._loop_name)
            code = self._run_child()
            if self._is_stopping and code in _OBEDIENT_EXIT_CODES:
                return 0
            if code != RELOAD_EXIT_CODE:
                return code

    def _run_child(self) -> int:
        self._child = subprocess.Popen(  # noqa: S603 (the command that started this process)
            [sys.executable, *sys.orig_argv[1:]],
            env={**os.environ, "WERKZEUG_RUN_MAIN": "true"},
            close_fds=False,  # The child takes over the listening socket.
        )
        if self._is_stopping:  # The signal came while there was no child to pass it on to.
            self._child.send_signal(signal.SIGTERM)
        return self._child.wait()


def serve_until_change(serve: Callable[[], None], options: WatchOptions) -> None:
    """Serve in this thread, and leave with `RELOAD_EXIT_CODE` when a watched file changes.

    Args:
        serve: Runs a server until SIGTERM or SIGINT ends it; it returns or raises SystemExit(0)
            after a graceful stop, and raises anything else when it failed.
        options: What is watched.

    Raises:
        SystemExit: With `RELOAD_EXIT_CODE` after a change, otherwise as `serve` raised it.
    """
    ensure_echo_on()
    watcher = _Watcher(options.build_loop())
    watcher.start()
    try:
        try:
            serve()
        except (Exception, SystemExit) as error:
            if not watcher.changed.is_set():
                _wait_for_mending(watcher, error)
    except SystemExit:
        # SIGTERM: from outside, or from the watcher while no server was there to take it.
        if not watcher.changed.is_set():
            raise
    if watcher.changed.is_set():
        raise SystemExit(RELOAD_EXIT_CODE)


def _wait_for_mending(watcher: _Watcher, error: Exception | SystemExit) -> None:
    if isinstance(error, SystemExit):
        if error.code in (0, None):
            raise error
    else:  # Who raises SystemExit has said why.
        get_console().error(" * %s", error, exc_info=error)
    get_console().info(" * The server has ended; waiting for a file to change")
    watcher.changed.wait()


class _Watcher(threading.Thread):
    """Watches files until one changes, then stops the server of this process."""

    def __init__(self, loop: ReloaderLoop) -> None:
        super().__init__(name="flasync-reloader", daemon=True)
        self.loop = loop
        self.changed = threading.Event()

    def run(self) -> None:
        try:
            with self.loop:
                self.loop.run()
        except SystemExit:  # By this a loop of Werkzeug says that it has seen a change.
            self.changed.set()
            os.kill(os.getpid(), signal.SIGTERM)
