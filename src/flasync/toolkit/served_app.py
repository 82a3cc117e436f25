"""An app served by `flasync serve` in a process of its own, for as long as it is measured."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from flasync.errors import AppNotFoundError, AppStartError

LOOPBACK = "127.0.0.1"

# Seconds until the port must be open: imports of large apps take some, a hang takes for ever.
START_TIMEOUT_S = 60.0

# Seconds that the server gets to end by itself before it is killed.
_STOP_TIMEOUT_S = 5.0

# Seconds in which a server whose worker has failed is expected to end too.
_END_TIMEOUT_S = 2.0

# Seconds between two looks at a port that is not open yet.
_POLL_S = 0.02

# The exit code of `flasync serve` for an app that is not there, or an option that cannot work.
_EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class ServedApp:
    """A running server."""

    url: str
    """Without a slash at the end."""
    process: subprocess.Popen[bytes]
    log_file: IO[bytes]

    def check_alive(self) -> None:
        """Return if the server still runs, also a moment after it failed to answer.

        Raises:
            AppStartError: It has ended; its log is attached as a note.
        """
        try:
            code = self.process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return
        raise _build_error(self, f"ended with exit code {code}")

    def read_log(self) -> str:
        """Return everything that the server has printed so far."""
        self.log_file.flush()
        with open(self.log_file.name, "rb") as log:
            return log.read().decode(errors="replace")


@contextmanager
def serve_app(
    import_path: str | None, arguments: Sequence[str] = (), start_timeout_s: float = START_TIMEOUT_S
) -> Iterator[ServedApp]:
    """Serve an app on a free loopback port until the context ends, however it ends.

    Args:
        import_path: As `flask --app` takes it; None: found in the current directory.
        arguments: More arguments of `flasync serve`.
        start_timeout_s: Seconds until the port must be open.

    Raises:
        AppNotFoundError: The command refused to start; its log is attached as a note.
        AppStartError: The app did not start; the server's log is attached as a note.
    """
    with tempfile.NamedTemporaryFile(prefix="flasync-serve-", suffix=".log") as log_file:
        port = find_free_port()
        app = ServedApp(
            f"http://{LOOPBACK}:{port}", _start(import_path, port, arguments, log_file), log_file
        )
        try:
            _wait_for_port(app, port, time.monotonic() + start_timeout_s)
            yield app
        finally:
            _stop(app.process)


def find_free_port() -> int:
    """Return a loopback port that nothing listened on a moment ago."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        return int(sock.getsockname()[1])


def _start(
    import_path: str | None, port: int, arguments: Sequence[str], log_file: IO[bytes]
) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "flasync.cli",
        "serve",
        "--host",
        LOOPBACK,
        "--port",
        str(port),
    ]
    # In debug mode too, the app alone is measured, in one process.
    command += ["--no-reload", "--no-debugger", "--no-access-log", *arguments]
    if import_path is not None:
        command += ["--app", import_path]
    return subprocess.Popen(  # noqa: S603 (our own command, the app named by its owner)
        command,
        stdin=subprocess.DEVNULL,
        stdout=log_file,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # A process group, by which its workers can be ended too.
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def _wait_for_port(app: ServedApp, port: int, deadline: float) -> None:
    while True:
        if app.process.poll() is not None:
            raise _build_error(app, f"ended with exit code {app.process.returncode}")
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise _build_error(app, "did not open its port in time") from None
            time.sleep(_POLL_S)
        else:
            return


def _build_error(app: ServedApp, what: str) -> AppNotFoundError | AppStartError:
    used_wrongly = app.process.returncode == _EXIT_USAGE
    error = (AppNotFoundError if used_wrongly else AppStartError)(
        f"The server of the app {what}, before it could be measured. Its log is above; start it"
        " alone with: flasync serve"
    )
    error.add_note(app.read_log())
    return error


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
