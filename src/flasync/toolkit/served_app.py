"""An app served in a process of its own, by `flasync serve` or another program, to be measured."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from flasync.errors import AppNotFoundError, AppStartError

LOOPBACK = "127.0.0.1"

# Seconds until the app must be served: imports of large apps take some, a hang takes for ever.
START_TIMEOUT_S = 60.0

# Seconds that the server gets to end by itself before it is killed.
_STOP_TIMEOUT_S = 5.0

# Seconds in which a server whose worker has failed is expected to end too.
_END_TIMEOUT_S = 2.0

# Seconds between two looks at the log, and at the port, of a server that is not there yet.
_POLL_S = 0.02

# The exit code of `flasync serve` for an app that is not there, or an option that cannot work.
_EXIT_USAGE = 2

# The line by which a program says where it listens, as `flasync serve` does.
_ANNOUNCEMENT = re.compile(r"^ \* Serving Flask app .+ on (https?://\S+) \(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ServedApp:
    """A running server."""

    url: str
    """Without a slash at the end."""
    process: subprocess.Popen[bytes]
    log_file: IO[bytes]
    to_start_alone: str
    """What a person types who wants to see the app start."""

    def check_alive(self) -> None:
        """Return if the server still runs, also a moment after it failed to answer.

        Raises:
            AppStartError: It has ended; its log is attached as a note.
        """
        try:
            code = self.process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return
        raise self.build_error(f"ended with exit code {code}")

    def read_log(self) -> str:
        """Return everything that the server has printed so far."""
        with open(self.log_file.name, "rb") as log:
            return log.read().decode(errors="replace")

    def build_error(self, what: str) -> AppNotFoundError | AppStartError:
        """Return the error that says what the server has done, with its log as a note."""
        used_wrongly = self.process.returncode == _EXIT_USAGE
        error = (AppNotFoundError if used_wrongly else AppStartError)(
            f"The server of the app {what}, before it could be measured. Its log is above; start"
            f" it alone with: {self.to_start_alone}"
        )
        error.add_note(self.read_log())
        return error


@dataclass(frozen=True, slots=True)
class Program:
    """A command that serves an app, and says where in the line by which `flasync serve` does."""

    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables, besides those of this process."""
    folder: Path | None = None
    """Where it is started; None: in the current directory."""
    to_start_alone: str = "flasync serve"
    """What a person types who wants to see the app start."""


@contextmanager
def serve_app(
    import_path: str | None,
    arguments: Sequence[str] = (),
    start_timeout_s: float = START_TIMEOUT_S,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[ServedApp]:
    """Serve an app on a free loopback port until the context ends, however it ends.

    Args:
        import_path: As `flask --app` takes it; None: found in the current directory.
        arguments: More arguments of `flasync serve`.
        start_timeout_s: Seconds until the server must accept connections.
        environ: Variables, besides those of this process.
        folder: Where the server is started; None: in the current directory.

    Raises:
        AppNotFoundError: The command refused to start; its log is attached as a note.
        AppStartError: The app did not start; the server's log is attached as a note.
    """
    command = [sys.executable, "-m", "flasync.cli", "serve"]
    # The server takes a port that is free and says which: one that were chosen here could be
    # another program's by the time the server binds it.
    command += ["--host", LOOPBACK, "--port", "0"]
    # In debug mode too, the app alone is measured, in one process.
    command += ["--no-reload", "--no-debugger", "--no-access-log", *arguments]
    if import_path is not None:
        command += ["--app", import_path]
    with run_program(Program(command, environ or {}, folder), start_timeout_s) as app:
        yield app


@contextmanager
def run_program(program: Program, start_timeout_s: float = START_TIMEOUT_S) -> Iterator[ServedApp]:
    """Run a program that serves an app until the context ends, however it ends.

    Args:
        program: It listens on loopback.
        start_timeout_s: Seconds until it must accept connections.

    Raises:
        AppNotFoundError: It ended with the exit code for wrong usage; its log is a note.
        AppStartError: It did not start; its log is attached as a note.
    """
    with tempfile.NamedTemporaryFile(prefix="flasync-serve-", suffix=".log") as log_file:
        process = _start(program, log_file)
        app = ServedApp("", process, log_file, program.to_start_alone)
        try:
            yield replace(app, url=_wait_for_url(app, time.monotonic() + start_timeout_s))
        finally:
            _stop(process)


def _start(program: Program, log_file: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own command, the app named by its owner)
        program.command,
        stdin=subprocess.DEVNULL,
        stdout=log_file,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # A process group, by which its workers can be ended too.
        cwd=program.folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environ},
    )


def _wait_for_url(app: ServedApp, deadline: float) -> str:
    """Return where the server says that it listens, once something does."""
    while True:
        if app.process.poll() is not None:
            raise app.build_error(f"ended with exit code {app.process.returncode}")
        announced = _ANNOUNCEMENT.search(app.read_log())
        if announced and _is_listening(announced[1]):
            return announced[1]
        if time.monotonic() > deadline:
            raise app.build_error("did not open its port in time")
        time.sleep(_POLL_S)


def _is_listening(url: str) -> bool:
    """Return whether the port is open: workers open it only after the announcement."""
    try:
        socket.create_connection((LOOPBACK, urlsplit(url).port), timeout=1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        # Workers that outlive their parent: Granian's take no notice of a stop while they start.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
