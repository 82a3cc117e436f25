"""Loading the app once in a process of its own, to learn whether it starts and what it wants.

A parent of worker processes must not load the app itself: the app's threads and connections would
be shared by a fork, and a scheduler that starts on import would run once too often. So the app is
loaded in a child that reports and ends, before any server is started.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection

import flask

from flasync.errors import AppStartError, FlasyncError
from flasync.serving.location import load_flask_app
from flasync.settings import read_settings

# Seconds that the child gets to end after it has reported; a thread of the app may hold it.
_END_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class AppFacts:
    """What a server must know of an app before it starts."""

    name: str
    graceful_timeout_s: float | None
    """Seconds; None: no limit."""


def read_facts(app: flask.Flask) -> AppFacts:
    """Return the facts of a loaded app.

    Raises:
        SettingError: A setting of flasync in the app's config is wrong.
    """
    return AppFacts(app.name, read_settings(app.config).graceful_timeout_s)


def probe_app(import_path: str | None) -> AppFacts:
    """Return the facts of an app, loaded in a child process that is then ended.

    Raises:
        AppNotFoundError: There is no Flask app where `import_path` points.
        AppStartError: The app failed while it was imported or built, or ended its process.
    """
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_report, args=(sender, import_path), daemon=True)
    child.start()
    sender.close()
    try:
        report: AppFacts | FlasyncError = receiver.recv()
    except EOFError:
        child.join()
        raise AppStartError(
            f"The app {import_path or 'of this directory'!r} ended its process while it was"
            f" imported, with exit code {child.exitcode}. Find the line with: python -v -m flask"
            f" --app {import_path or 'app'} routes"
        ) from None
    finally:
        receiver.close()
        _end(child)
    if isinstance(report, FlasyncError):
        raise report
    return report


def _report(sender: Connection, import_path: str | None) -> None:
    try:
        sender.send(read_facts(load_flask_app(import_path)))
    except FlasyncError as error:
        sender.send(error)


def _end(child: multiprocessing.process.BaseProcess) -> None:
    child.terminate()
    child.join(_END_TIMEOUT_S)
    if child.is_alive():
        child.kill()
        child.join()
