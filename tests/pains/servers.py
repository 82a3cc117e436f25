"""Real ASGI servers in subprocesses, and the clients that speak to them byte by byte."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpx

from ports import reserve_port

SERVERS = ("uvicorn", "hypercorn", "granian", "gunicorn")
HTTP2_SERVERS = ("hypercorn", "granian")  # prior knowledge, without TLS

# Deadlines, not expectations: they end a test that would hang. In seconds.
START_S = 60
ANSWER_S = 60
STOP_S = 60
IDLE_S = 75

# Characters of a log that a failure shows.
LOG_TAIL = 5000

TESTS = Path(__file__).parent.parent

# What no server may write into its log unless a test says that it must. Each is a
# symptom that users reported: a lost context, a second loop, a coroutine dropped.
BAD_LOG = re.compile(
    r"Traceback \(most recent call last\)"
    r"|was never awaited"
    r"|Task was destroyed but it is pending"
    r"|Task exception was never retrieved"
    r"|Future exception was never retrieved"
    r"|Event loop is closed"
    r"|attached to a different loop"
    r"|created in a different Context"
    r"|Failed to detach context"
    r"|ResourceWarning: unclosed (transport|event loop)"
)


def build_command(
    kind: str, target: str, port: int, *, root_path: str = "", lifespan: bool = True
) -> list[str]:
    """The command line that serves `target` ("module:name") on `port` with one worker.

    Idle connections are kept for longer than the defaults of a few seconds: on a busy machine a
    server may close one at the very moment when a client takes it again.
    """
    bind = f"127.0.0.1:{port}"
    module = [sys.executable, "-m", kind]
    if kind == "uvicorn":
        command = [*module, target, "--port", str(port), "--log-level", "info"]
        command += ["--no-access-log", "--lifespan", "on" if lifespan else "off"]
        command += ["--timeout-keep-alive", str(IDLE_S)]
        return command + (["--root-path", root_path] if root_path else [])
    if kind == "hypercorn":  # has no switch for the lifespan protocol
        # The default backlog of 100 drops connections when 1,000 clients come at once.
        command = [*module, target, "--bind", bind, "--backlog", "2048"]
        command += ["--keep-alive", str(IDLE_S)]
        return command + (["--root-path", root_path] if root_path else [])
    if kind == "granian":
        interface = "asgi" if lifespan else "asginl"
        command = [*module, target, "--interface", interface, "--port", str(port)]
        # The default of 1,024 requests at once leaves no room beside 1,000 streams.
        command += ["--backlog", "2048", "--backpressure", "2048"]
        return command + (["--url-path-prefix", root_path] if root_path else [])
    if kind == "gunicorn":
        command = [*module, target, "-k", "asgi", "--bind", bind, "--no-control-socket"]
        # The default of 1,000 connections leaves no room beside 1,000 streams.
        command += ["--worker-connections", "2048"]
        # It counts idle connections as requests under way, and waits for them that long.
        command += ["--graceful-timeout", "3"]
        command += ["--keep-alive", str(IDLE_S)]
        command += ["--asgi-lifespan", "on" if lifespan else "off"]
        return command + (["--root-path", root_path] if root_path else [])
    raise ValueError(f"unknown server {kind!r}: one of {SERVERS}")


class Served:
    """One server process with one app: its address, its log, its life."""

    def __init__(self, kind: str, target: str, port: int, process: Any, log: Path) -> None:
        """Keep what `serve` started."""
        self.kind = kind
        self.target = target
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=ANSWER_S, verify=False)
        self._log = log
        self._connections: list[RawConnection] = []
        self._checked_bytes = 0
        self._expected: list[str] = []
        self.ends_on_sigterm = True

    def log(self) -> str:
        """Everything that the server has written so far."""
        return self._log.read_text(errors="replace")

    def log_tail(self) -> str:
        """The end of it, for a message."""
        return self.log()[-LOG_TAIL:]

    def check_alive(self) -> None:
        """Fail with the log when the process has ended."""
        if self.process.poll() is not None:
            raise AssertionError(
                f"{self.kind} ended with code {self.process.returncode}:\n{self.log_tail()}"
            )

    def expect_log(self, *patterns: str) -> None:
        """Say that this test makes the server log a line that matches each pattern."""
        self._expected.extend(patterns)

    def check_log(self) -> None:
        """Fail when the server logged a symptom since the last check, or lacks what it must."""
        expected, self._expected = self._expected, []
        # The answer may have come before the line that is written after it.
        self._wait_for_log(expected)
        written = self._log.read_bytes()
        new = written[self._checked_bytes :].decode(errors="replace")
        self._checked_bytes = len(written)
        bad = BAD_LOG.search(new)
        if bad and not any(re.search(pattern, bad.group()) for pattern in expected):
            raise AssertionError(f"{self.kind} logged {bad.group()!r}:\n{new[-LOG_TAIL:]}")

    def _wait_for_log(self, patterns: list[str]) -> None:
        deadline = time.monotonic() + ANSWER_S
        for pattern in patterns:
            while True:
                new = self._log.read_bytes()[self._checked_bytes :].decode(errors="replace")
                if re.search(pattern, new):
                    break
                assert time.monotonic() < deadline, (
                    f"{self.kind} did not log {pattern!r}:\n{new[-LOG_TAIL:]}"
                )
                time.sleep(0.01)  # the poll's pace

    def wait_until(self, check: Callable[[], Any], what: str) -> Any:
        """The first true value of `check`, polled until the deadline."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            self.check_alive()
            value = check()
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{self.kind}: waited {ANSWER_S} s for {what}; {self.describe()}"
                )
            time.sleep(0.01)  # the poll's pace; nothing is read into its length

    def describe(self) -> str:
        """What a failure message shows: the ledger and the log."""
        return f"the ledger: {dict(self.counts())}; the log:\n{self.log_tail()}"

    def events(self) -> list[str]:
        """What the app noted, in order."""
        events: list[str] = self.client.get("/ledger").json()["events"]
        return events

    def counts(self) -> Counter[str]:
        """How often the app noted each event."""
        return Counter(self.events())

    def clear(self) -> None:
        """Empty the app's ledger."""
        assert self.client.post("/ledger/clear").status_code == 204

    def wait_for(self, event: str, times: int = 1) -> None:
        """Wait until the app has noted `event` at least so many times."""
        self.wait_until(lambda: self.counts()[event] >= times, f"{times} x {event!r}")

    def threads(self) -> int:
        """Threads of the process that runs the app (not of a supervisor above it)."""
        pid = self.client.get("/ledger").json()["pid"]
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("Threads:")[1].split()[0])

    def get_at_once(self, paths: Sequence[str], **kwargs: Any) -> list[httpx.Response]:
        """The answers to all paths, requested at the same time over a connection each."""

        async def get_all() -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=len(paths))
            async with httpx.AsyncClient(
                base_url=self.url, timeout=ANSWER_S, verify=False, limits=limits
            ) as client:
                return await asyncio.gather(*(client.get(path, **kwargs) for path in paths))

        return asyncio.run(get_all())

    def connect(self, *, receive_bytes: int | None = None) -> "RawConnection":
        """A socket of the test's own; `receive_bytes` makes a reader with a small window."""
        connection = RawConnection(self, receive_bytes)
        self._connections.append(connection)
        return connection

    def close_connections(self) -> None:
        """Close every connection that `connect` made."""
        for connection in self._connections:
            connection.socket.close()
        self._connections.clear()

    def stop(self) -> None:
        """SIGTERM; fail with the log when the server does not end, or ends in an error.

        A server of which a test knows that it does not end (`ends_on_sigterm`) is killed.
        """
        self.client.close()
        if not self.ends_on_sigterm:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"{self.kind} ignored SIGTERM:\n{self.log_tail()}") from None
        # uvicorn raises the signal again once it has shut down.
        assert code in (0, -signal.SIGTERM), f"{self.kind} ended with {code}:\n{self.log_tail()}"


@contextlib.contextmanager
def serve(
    kind: str, target: str, *, root_path: str = "", lifespan: bool = True
) -> Iterator[Served]:
    """A server that answers, stopped by SIGTERM and its log checked at the end."""
    port = reserve_port()
    command = build_command(kind, target, port, root_path=root_path, lifespan=lifespan)
    environ = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1"}
    environ["PYTHONWARNINGS"] = "always::RuntimeWarning,always::ResourceWarning"
    with tempfile.NamedTemporaryFile(prefix=f"{kind}-", suffix=".log") as log:
        process = subprocess.Popen(
            command, cwd=TESTS, env=environ, stdout=log, stderr=log, start_new_session=True
        )
        served = Served(kind, target, port, process, Path(log.name))
        try:
            _wait_until_it_answers(served)
            yield served
        finally:
            if process.poll() is None:
                served.stop()
            served.client.close()
        served.check_log()


def _wait_until_it_answers(served: Served) -> None:
    deadline = time.monotonic() + START_S
    while True:
        served.check_alive()
        try:
            served.client.get("/is-it-up")
            return
        except httpx.TransportError as error:
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{served.kind} never answered:\n{served.log_tail()}"
                ) from error
        time.sleep(0.02)  # the poll's pace


class ClosedError(AssertionError):
    """The server closed the connection in the middle of what the test reads."""


class Answer:
    """One HTTP/1.1 response as it came over the wire."""

    def __init__(self, head: bytes) -> None:
        """Split the head; the body is added by the reader."""
        status_line, *lines = head.split(b"\r\n")
        self.status = int(status_line.split(b" ")[1])
        self.headers = [
            (name.strip().lower(), value.strip())
            for name, _, value in (line.partition(b":") for line in lines)
        ]
        self.body = b""

    def get_all(self, name: bytes) -> list[bytes]:
        """Every value of a header, in order."""
        return [value for header, value in self.headers if header == name]

    def get(self, name: bytes) -> bytes | None:
        """The only value of a header, or None."""
        values = self.get_all(name)
        assert len(values) <= 1, self.headers
        return values[0] if values else None


class RawConnection:
    """A TCP connection whose bytes the test chooses; every wait is bounded."""

    def __init__(self, server: Served, receive_bytes: int | None) -> None:
        """Connect."""
        self.server = server
        self.socket = socket.socket()
        self.socket.settimeout(ANSWER_S)
        if receive_bytes is not None:  # before connecting, or the window is already larger
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", server.port))
        self.unread = b""

    def __enter__(self) -> "RawConnection":
        """Close at the end of the block."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send exactly these bytes."""
        self.socket.sendall(data)

    def request(
        self, target: bytes | str, *headers: bytes, method: str = "GET", body: bytes = b""
    ) -> None:
        """Send a request line, Host, the given header lines and the body, nothing else."""
        if isinstance(target, str):
            target = target.encode("ascii")
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: localhost", *headers]
        self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def read_more(self) -> bool:
        """Take what has arrived; False when the server has closed."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(
                f"{self.server.kind} sent nothing for {ANSWER_S} s after {self.unread!r}; "
                f"{self.server.describe()}"
            ) from None
        self.unread += data
        return bool(data)

    def read_until(self, marker: bytes) -> bytes:
        """Everything up to and including `marker`."""
        while marker not in self.unread:
            if not self.read_more():
                raise ClosedError(f"closed before {marker!r}: {self.unread[:LOG_TAIL]!r}")
        before, _, self.unread = self.unread.partition(marker)
        return before + marker

    def read_exactly(self, size_bytes: int) -> bytes:
        """So many bytes."""
        while len(self.unread) < size_bytes:
            if not self.read_more():
                raise ClosedError(f"closed after {self.unread[:LOG_TAIL]!r}")
        data, self.unread = self.unread[:size_bytes], self.unread[size_bytes:]
        return data

    def read_to_end(self) -> bytes:
        """Everything until the server closes the connection (or resets it)."""
        with contextlib.suppress(ConnectionError):
            while self.read_more():
                pass
        data, self.unread = self.unread, b""
        return data

    def read_answer(self, method: str = "GET") -> Answer:
        """The next response; informational ones (1xx) are answers of their own."""
        answer = Answer(self.read_until(b"\r\n\r\n")[:-4])
        if answer.status < 200 or answer.status in (204, 304) or method == "HEAD":
            return answer
        if answer.get(b"transfer-encoding") == b"chunked":
            while size_bytes := int(self.read_until(b"\r\n").strip(), 16):
                answer.body += self.read_exactly(size_bytes)
                self.read_until(b"\r\n")
            self.read_until(b"\r\n")
        elif (length := answer.get(b"content-length")) is not None:
            answer.body = self.read_exactly(int(length))
        else:
            answer.body = self.read_to_end()
        return answer

    def leave(self, *, reset: bool = False) -> None:
        """Go away in the middle: politely (FIN) or, with `reset`, at once (RST)."""
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()


class H2Connection:
    """An HTTP/2 connection by prior knowledge, header fields sent one by one as given."""

    def __init__(self, port: int) -> None:
        """Connect and greet."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
        # Headers go out as the test gives them, so that it may send what httpx would not.
        config = h2.config.H2Configuration(
            client_side=True, header_encoding=None, normalize_outbound_headers=False
        )
        self.http2 = h2.connection.H2Connection(config)
        self.http2.initiate_connection()
        self.answers: dict[int, Answer] = {}
        self.ended: set[int] = set()
        self.flush()

    def __enter__(self) -> "H2Connection":
        """Close at the end of the block."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close."""
        self.socket.close()

    def flush(self) -> None:
        """Send what the protocol has ready."""
        self.socket.sendall(self.http2.data_to_send())

    def request(
        self,
        path: str,
        *fields: tuple[bytes, bytes],
        method: str = "GET",
        body: bytes = b"",
        end: bool = True,
    ) -> int:
        """Start a request; with `end=False` its body stays open. Returns the stream id."""
        stream = self.http2.get_next_available_stream_id()
        head = [
            (b":method", method.encode()),
            (b":scheme", b"http"),
            (b":authority", b"localhost"),
            (b":path", path.encode()),
        ]
        self.http2.send_headers(stream, [*head, *fields], end_stream=end and not body)
        if body:
            self.http2.send_data(stream, body, end_stream=end)
        self.flush()
        return stream

    def reset(self, stream: int) -> None:
        """Abandon one request; the connection stays."""
        self.http2.reset_stream(stream)
        self.flush()

    def read_events(self) -> None:
        """Take what has arrived."""
        data = self.socket.recv(65536)
        assert data, "the server closed the HTTP/2 connection"
        for event in self.http2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                fields = dict(event.headers)
                answer = Answer(b"HTTP/2 " + fields[b":status"])
                answer.headers = [field for field in event.headers if field[0][:1] != b":"]
                self.answers[event.stream_id] = answer
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id].body += event.data
                size_bytes = event.flow_controlled_length
                self.http2.acknowledge_received_data(size_bytes, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                raise AssertionError(f"the server reset stream {event.stream_id}")
        self.flush()

    def read_body_start(self, stream: int) -> bytes:
        """The first bytes of a streamed body."""
        while stream not in self.answers or not self.answers[stream].body:
            self.read_events()
        return self.answers[stream].body

    def read_answer(self, stream: int) -> Answer:
        """The whole response of a stream."""
        while stream not in self.ended:
            self.read_events()
        return self.answers[stream]
