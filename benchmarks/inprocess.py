"""Microseconds a request inside one process: the framework alone, no server, no socket.

Every stack answers one request after the other, in a process of its own as in real life: in a
shared one, CPython's inline caches would be fought over by applications of different shape. ASGI
applications are awaited directly in one task on uvloop, WSGI applications are called; making the
scope or the environ is the same few dictionary entries for both and is counted.

Counted is the processor time of the whole process, all its threads and the kernel's part
included, because it is far less noisy than the clock on the wall. The process is pinned to one
core, where the two are the same on an idle machine: nothing here waits for anything but itself.
"""

import asyncio
import contextlib
import importlib
import io
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any, cast
from urllib.parse import unquote

import uvloop

from benchmarks.load import WrongAnswer
from benchmarks.progress import progress
from benchmarks.routes import ROUTES, Route
from benchmarks.stacks import IN_PROCESS, Stack

WARM_UP_REQUESTS = 200
SLICES = 8

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Coroutine[Any, Any, None],
]
WSGIApp = Callable[..., Any]
Runner = Callable[[Route, int], bytes]
"""Sends a request so many times and returns the body of the last answer."""

Times = dict[str, dict[str, list[float | None]]]
"""By stack name, then by route name: microseconds a request, one figure a round, None where the
stack's process has ended."""


@dataclass
class TimeResults:
    """All in-process figures of one benchmark.

    Attributes:
        times: The figures.
        failures: By stack name: why there are none.
    """

    times: Times
    failures: dict[str, str]


def measure_in_process(stacks: Sequence[Stack], rounds: int, requests: int) -> TimeResults:
    """Rounds over all stacks and routes, interleaved.

    A round's figure is the fastest of SLICES slices of `requests` requests, and the stacks take
    turns at each slice: what else runs on the machine slows some slices of every stack, and
    hardly ever all of one.
    """
    results = TimeResults({s.name: {r.name: [] for r in ROUTES} for s in stacks}, {})
    with contextlib.ExitStack() as running:
        workers = {stack.name: running.enter_context(start_worker(stack)) for stack in stacks}
        for number in range(rounds):
            for route in ROUTES:
                fastest: dict[str, float] = {}
                for stack in [*stacks, *reversed(stacks)] * (SLICES // 2):
                    answer = ask(workers[stack.name], route, requests)
                    if isinstance(answer, str):
                        results.failures.setdefault(stack.name, answer)
                    else:
                        fastest[stack.name] = min(answer, fastest.get(stack.name, answer))
                for stack in stacks:
                    results.times[stack.name][route.name].append(fastest.get(stack.name))
            progress(f"in process: round {number + 1} of {rounds}")
    return results


@contextlib.contextmanager
def start_worker(stack: Stack) -> Iterator[subprocess.Popen[str]]:
    """A process that holds one stack and answers `ask`, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.inprocess", stack.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process  # Popen's own end closes the pipe, on which the worker ends


def ask(worker: subprocess.Popen[str], route: Route, requests: int) -> float | str:
    """Has a worker send requests.

    Returns:
        Microseconds a request, or the last line that it wrote when it failed.
    """
    commands, answers = cast("IO[str]", worker.stdin), cast("IO[str]", worker.stdout)
    if commands.closed:
        return "the process has ended"
    said = ""
    with contextlib.suppress(BrokenPipeError):  # what it had to say is still to be read
        print(ROUTES.index(route), requests, file=commands, flush=True)
    for line in answers:
        if line.startswith(FIGURE):
            return float(line.removeprefix(FIGURE))
        said = line.strip() or said
    with contextlib.suppress(BrokenPipeError):
        commands.close()
    return said or "the process has ended"


FIGURE = "microseconds: "


def work(name: str) -> None:
    """The worker: reads a route's number and a number of requests, writes the figure; and again.

    Raises:
        ImportError: The stack is not installed.
        WrongAnswer: The stack does not answer what it was asked.
    """
    stack = next(stack for stack in IN_PROCESS if stack.name == name)
    run = make_runner(stack)
    for route in ROUTES:
        answer = run(route, WARM_UP_REQUESTS)
        if not route.accepts(answer):
            raise WrongAnswer(f"{stack.name} {route.target}: {answer[:80]!r} in process")
    for line in sys.stdin:
        number, requests = map(int, line.split())
        start_s = time.process_time()
        run(ROUTES[number], requests)
        spent_s = time.process_time() - start_s
        print(f"{FIGURE}{spent_s / requests * 1e6}", flush=True)


def make_runner(stack: Stack) -> Runner:
    """What sends requests to a stack's application.

    Raises:
        ImportError: The stack is not installed.
    """
    app = importlib.import_module(f"benchmarks.apps.{stack.module}").app
    if stack.wsgi:
        return lambda route, requests: call_wsgi(app, route, requests)
    loop = uvloop.new_event_loop()
    return lambda route, requests: loop.run_until_complete(call_asgi(app, route, requests))


def call_wsgi(app: WSGIApp, route: Route, requests: int) -> bytes:
    """Calls a WSGI application `requests` times."""
    environ = build_environ(route)
    body = b""
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        statuses[:] = [status]

    for _ in range(requests):
        answer = app({**environ, "wsgi.input": io.BytesIO(route.body or b"")}, start_response)
        body = b"".join(answer)
        answer.close()
    if not statuses[0].startswith("200"):
        raise WrongAnswer(f"{route.target}: {statuses[0]} in process")
    return body


async def call_asgi(app: ASGIApp, route: Route, requests: int) -> bytes:
    """Awaits an ASGI application `requests` times."""
    scope = build_scope(route)
    for _ in range(requests):
        client = Client(route.body or b"")
        await app(
            {**scope, "headers": list(scope["headers"]), "state": {}}, client.receive, client.send
        )
    if client.status != HTTPStatus.OK:
        raise WrongAnswer(f"{route.target}: {client.status} in process")
    return b"".join(client.parts)


class Client:
    """The server's side of one request: hands over the body, keeps the answer.

    As with a real server, who asks for more than the body waits, and hears of a disconnect once
    the answer is complete.
    """

    def __init__(self, body: bytes) -> None:
        """Takes the whole request body."""
        self.unread = [{"type": "http.request", "body": body, "more_body": False}]
        self.status = 0
        self.parts: list[bytes] = []
        self.complete = False
        self.completed: asyncio.Future[None] | None = None

    async def receive(self) -> Message:
        """The body, then, when the answer is complete, a disconnect."""
        if self.unread:
            return self.unread.pop()
        if not self.complete:
            self.completed = asyncio.get_running_loop().create_future()
            await self.completed
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keeps the status and the body."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.parts.append(message.get("body", b""))
        if not message.get("more_body"):
            self.complete = True
            if self.completed is not None and not self.completed.done():
                self.completed.set_result(None)


def build_environ(route: Route) -> dict[str, Any]:
    """The environ that a WSGI server builds for this request, without its input stream."""
    path, _, query = route.target.partition("?")
    environ = {
        "REQUEST_METHOD": route.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if route.body is not None:
        environ["CONTENT_TYPE"] = "application/json"
        environ["CONTENT_LENGTH"] = str(len(route.body))
    return environ


def build_scope(route: Route) -> dict[str, Any]:
    """The scope that uvicorn builds for this request."""
    path, _, query = route.target.partition("?")
    headers = [(b"host", b"127.0.0.1:8000")]
    if route.body is not None:
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(route.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": route.method,
        "root_path": "",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
    }


if __name__ == "__main__":
    work(sys.argv[1])
