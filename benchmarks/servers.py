"""Starts one stack on its server, pinned to its core, and measures its memory."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from benchmarks.machine import pin
from benchmarks.stacks import THREADS, Stack

HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.02
CONNECTIONS = 20_000
"""Limit of open connections where a server asks for one: above every test here."""
BACKLOG = 16_384
"""Accept queue asked of every server (the kernel may cap it), so that none refuses the burst."""

UVICORN = "uvicorn --loop uvloop --http httptools --log-level warning --no-access-log".split()
GUNICORN = (
    f"gunicorn --workers 1 --log-level warning --worker-connections {CONNECTIONS} "
    f"--backlog {BACKLOG} --timeout 300"
).split()

COMMANDS: dict[str, list[str]] = {
    "uvicorn": [*UVICORN, "--backlog", str(BACKLOG), "--host", HOST, "--port", "{port}"],
    "gthread": [*GUNICORN, "-k", "gthread", "--threads", str(THREADS), "-b", HOST + ":{port}"],
    "gevent": [*GUNICORN, "-k", "gevent", "-b", HOST + ":{port}"],
    "gunicorn-asgi": [*GUNICORN, "-k", "asgi", "--asgi-loop", "uvloop", "-b", HOST + ":{port}"],
    "hypercorn": (
        f"hypercorn --worker-class uvloop --workers 1 --log-level warning "
        f"--backlog {BACKLOG} --bind {HOST}:{{port}}"
    ).split(),
    "granian": (
        f"granian --interface asgi --loop uvloop --workers 1 --no-ws --log-level warning "
        f"--backlog {BACKLOG} --host {HOST} --port {{port}}"
    ).split(),
}
"""How each server is started: one worker process, no access log, otherwise its defaults."""


class StartError(Exception):
    """A stack did not come up; the message ends with the last line of its log."""


@dataclass
class Server:
    """A running stack.

    Attributes:
        stack: What is served.
        port: Its TCP port on 127.0.0.1.
        process: The server's first process.
        log_path: File with the server's output.
    """

    stack: Stack
    port: int
    process: subprocess.Popen[bytes]
    log_path: str

    def last_error(self) -> str:
        """The last line of the server's log that names an error, or else just the last."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            lines = log.read().strip().splitlines()
        errors = [line for line in lines if "Error" in line]
        return (errors or lines or ["(empty log)"])[-1]

    def cpu_s(self) -> float:
        """Processor time of all its processes so far, the kernel's part included."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(time.user + time.system for time in times)

    def processes(self) -> list[psutil.Process]:
        """The server's processes, workers included."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]


def resident_bytes(processes: list[psutil.Process]) -> int:
    """Resident memory of the processes together; one that is gone counts nothing."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


@contextlib.contextmanager
def serve(stack: Stack, core: int | None) -> Iterator[Server]:
    """Runs a stack on its server in a process of its own until the block ends.

    Args:
        stack: What to serve.
        core: The core that it is pinned to, or None.

    Raises:
        StartError: The server ended, or did not listen within START_TIMEOUT_S.
    """
    with tempfile.NamedTemporaryFile(prefix=f"bench-{stack.name}-", suffix=".log") as log:
        port = free_port()
        command = [part.format(port=port) for part in COMMANDS[stack.server]]
        process = subprocess.Popen(
            [sys.executable, "-m", *command, f"benchmarks.apps.{stack.module}:app"],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Before exec, so that no thread or worker of the server escapes the core.
            preexec_fn=lambda: pin(core),  # noqa: PLW1509  (this process has one thread)
        )
        server = Server(stack, port, process, log.name)
        try:
            wait_until_listening(server)
            yield server
        finally:
            stop(process)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(server: Server) -> None:
    """Returns when the port accepts connections.

    Raises:
        StartError: See `serve`.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((HOST, server.port)) == 0:
                return
        time.sleep(POLL_S)
    raise StartError(f"{server.stack.name} did not start: {server.last_error()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and its workers: politely first, by force after STOP_TIMEOUT_S."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        pass
    # Its own session: the group is the server and its workers, whoever is left of them.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
