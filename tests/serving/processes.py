"""Servers in subprocesses: started, watched, asked and ended, with their log shown on failure."""

import http.client
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from ports import reserve_port

# Seconds, all of them ends of a wait and none an expectation.
DEADLINE_S = 60.0
_POLL_S = 0.02

SERVE = [sys.executable, "-m", "flasync.cli", "serve"]
VERIFY = [sys.executable, "-m", "flasync.cli", "verify"]


def clean_environ(**variables: str) -> dict[str, str]:
    """The environment without what would choose an app or a server."""
    foreign = ("FLASK_", "FLASYNC_", "WERKZEUG_", "WEB_CONCURRENCY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # The debugger's PIN is off, as its own tests do it; nothing listens but on loopback.
    return {**kept, "WERKZEUG_DEBUG_PIN": "off", "PYTHONUNBUFFERED": "1", **variables}


class Answer(NamedTuple):
    """A response, as far as tests look at it."""

    status: int
    text: str


class Running:
    """A server in a subprocess, ended with the `with` block."""

    def __init__(self, command: list[str], folder: Path, port: int, **variables: str) -> None:
        """Start `command` in `folder`; it is expected to listen on loopback at `port`."""
        self.port = port
        self.scheme = "http"
        self.folder = folder
        self.log_path = folder / f"server-{port}.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=clean_environ(**variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.group = self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            os.killpg(self.group, signal.SIGKILL)  # Its workers and reloaded children too.
        except ProcessLookupError:
            pass
        self.process.wait()
        if isinstance(error, Exception | AssertionError):
            error.add_note(f"--- log of the server ---\n{self.log}")

    @property
    def log(self) -> str:
        """Everything that the server has printed."""
        return self.log_path.read_text(errors="replace")

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Return once `condition` holds; fail when the process has ended or time is up."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert self.process.poll() is None, f"ended {self.process.returncode} before {what}"
            assert time.monotonic() < deadline, f"timed out before {what}"
            time.sleep(_POLL_S)

    def get(self, path: str, timeout_s: float = DEADLINE_S) -> Answer:
        """The response to a GET, on a connection of its own."""
        connection = self._connect(timeout_s)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        # Not httpx: these polls are many, and its clients take 30 ms to make.
        if self.scheme == "http":
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=timeout_s, context=context
        )

    def try_get(self, path: str) -> Answer | None:
        """The response to a GET; None while the server starts, ends, or is replaced."""
        try:
            return self.get(path)
        except (OSError, http.client.HTTPException):
            return None

    def answers(self, path: str, text: str) -> bool:
        """Whether the server answers `path` with `text` now."""
        answer = self.try_get(path)
        return answer is not None and answer.text == text

    def answers_at_all(self, path: str) -> bool:
        """Whether the server answers `path` with anything now."""
        return self.try_get(path) is not None

    def wait_for_answer(self, path: str, text: str) -> None:
        """Return once the server answers `path` with `text`."""
        self.wait_until(lambda: self.answers(path, text), f"{path} answered {text!r}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the process alone, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Running]:
    """`flasync serve` in `folder`, on a free port; it may not be up yet."""
    port = reserve_port()
    command = [*SERVE, "--port", str(port), *arguments]
    with Running(command, folder, port, **variables) as running:
        yield running


@contextmanager
def running_script(folder: Path, script: str, **variables: str) -> Iterator[Running]:
    """`python main.py` with `script`, in which `PORT` stands for a free port."""
    port = reserve_port()
    (folder / "main.py").write_text(script.replace("PORT", str(port)))
    with Running([sys.executable, "main.py"], folder, port, **variables) as running:
        yield running


def finish(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The outcome of a command that ends by itself."""
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environ(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
