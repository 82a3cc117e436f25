"""An app on this process's event loop, without a server: for the tests of a user.

Requests are ASGI calls on the process's one loop, which runs in a thread of its own. They take the
lanes that they take on a server; there is no socket between, and nothing else of a server.
"""

from __future__ import annotations

import asyncio
import atexit
import tempfile
import time
import uuid
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Flask
from werkzeug.datastructures import EnvironHeaders
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import Client
from werkzeug.wsgi import get_input_stream

from flasync import ASGI, instruments, portal
from flasync.toolkit.tracing.memory_client import Message, live
from flasync.toolkit.verifying.evidence import Evidence
from flasync.toolkit.verifying.evidence_rows import IDENTITY_HEADER
from flasync.toolkit.verifying.run import Load, Mark, Request
from flasync.toolkit.verifying.witness import Witness

T = TypeVar("T")

# What a request costs besides the view, in milliseconds, on a slow machine; a route that is not
# clearly slower is judged by what the witness has seen.
COST_MS = 1.0

# Requests one after another, for a median; fewer once they have taken this many milliseconds.
_BASELINE_REQUESTS = 3
_BASELINE_BUDGET_MS = 1000.0

# Seconds until a request has failed, until hooks have run, and until the witness has told all.
_REQUEST_TIMEOUT_S = 60.0
_HOOKS_TIMEOUT_S = 60.0
_EVIDENCE_TIMEOUT_S = 5.0


@dataclass(eq=False)
class Answer:
    """What became of a request; times are seconds of `time.perf_counter`."""

    message: Message
    identity: str
    start: float = 0.0
    end: float = 0.0
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    error: BaseException | None = None
    """What the app let through."""
    marks: tuple[Mark, ...] = ()
    """Of the witness, in milliseconds of `time.perf_counter`."""

    def build_request(self, origin: float) -> Request:
        """Return it as a `Request` whose times count from a moment."""
        move_ms = origin * 1000
        marks = (
            replace(mark, start_ms=mark.start_ms - move_ms, end_ms=mark.end_ms - move_ms)
            for mark in self.marks
        )
        start_ms, end_ms = self.start * 1000 - move_ms, self.end * 1000 - move_ms
        failure = None
        if self.status is None:
            failure = repr(self.error) if self.error else "the app sent no response"
        return Request(
            start_ms=start_ms,
            connected_ms=None,
            sent_ms=start_ms,
            first_byte_ms=None,
            end_ms=end_ms,
            status=self.status,
            failure=failure,
            body_bytes=len(self.body),
            marks=tuple(marks),
        )


class RunningApp:
    """An app whose startup hooks have run.

    Args:
        app: The ASGI app.
        evidence: What the witness writes.

    Attributes:
        answers: All that were sent so far, in this order.
    """

    def __init__(self, app: ASGI, evidence: Evidence) -> None:
        self._app = app
        self._evidence = evidence
        self.answers: list[Answer] = []

    def run_load(self, message: Message, count: int) -> Load:
        """Send a request alone, then so many at once, and return what was measured.

        Runs in: any thread but the loop's.
        """
        alone: list[Answer] = []
        for number in range(_BASELINE_REQUESTS + 1):
            answer = self.send_together(message, 1)[0]
            if number:  # the first one warms up
                alone.append(answer)
            if sum(each.end - each.start for each in alone) * 1000 >= _BASELINE_BUDGET_MS:
                break
        cpu = time.process_time()
        together = self.send_together(message, count)
        cpu = time.process_time() - cpu
        self.collect_marks([*alone, *together])
        origin = min(answer.start for answer in together)
        return Load(
            baseline=tuple(answer.build_request(origin) for answer in alone),
            requests=tuple(answer.build_request(origin) for answer in together),
            calm=(),
            pings=(),
            cpu_ms=cpu * 1000,
            wall_ms=(max(answer.end for answer in together) - origin) * 1000,
        )

    def send_together(self, message: Message, count: int) -> list[Answer]:
        """Send a request so many times at once, and return when all have ended."""
        answers = [self._build_answer(message) for _ in range(count)]

        async def send() -> None:
            await asyncio.gather(*map(self._ask, answers))

        _wait(send(), None)
        self.answers += answers
        return answers

    def collect_marks(self, answers: Iterable[Answer]) -> None:
        """Give answers the marks that the witness has of them."""
        missing = {answer.identity: answer for answer in answers if not answer.marks}
        seen = self._evidence.collect(missing, _EVIDENCE_TIMEOUT_S)
        for identity, evidence in seen.items():
            missing[identity].marks = evidence.marks

    def build_client(self, app: Flask) -> Client:
        """Return a client like `app.test_client()` whose requests run on the loop."""
        return Client(self._answer_wsgi, app.response_class)

    def _answer_wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        """Send a WSGI request. An error that the app lets through is raised, as in Flask's client.

        Source: PEP 3333.
        """
        target = quote(environ.get("PATH_INFO", "").encode("latin-1"))
        query = environ.get("QUERY_STRING", "")
        message = Message(
            environ["REQUEST_METHOD"],
            f"{target}?{query}" if query else target,
            list(EnvironHeaders(environ)),
            get_input_stream(environ).read(),
        )
        (answer,) = self.send_together(message, 1)
        if answer.error is not None:
            raise answer.error
        status = answer.status or HTTPStatus.INTERNAL_SERVER_ERROR.value
        start_response(f"{status} {HTTP_STATUS_CODES.get(status, 'Unknown')}", answer.headers)
        return [answer.body]

    @staticmethod
    def _build_answer(message: Message) -> Answer:
        identity = uuid.uuid4().hex
        headers = [*message.headers, (IDENTITY_HEADER, identity)]
        return Answer(replace(message, headers=headers), identity)

    async def _ask(self, answer: Answer) -> None:
        """Send one request. Runs in: the loop."""
        body = [{"type": "http.request", "body": answer.message.body}]
        never = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not body:
                await never.wait()
            return body.pop()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message["headers"]
                ]
            else:
                answer.body += message.get("body", b"")

        scope = answer.message.build_scope("localhost")
        answer.start = time.perf_counter()
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                await self._app(scope, receive, send)
        except Exception as error:
            answer.error = error
        answer.end = time.perf_counter()


@contextmanager
def run_in_process(app: Flask) -> Iterator[RunningApp]:
    """Run an app's startup hooks, have its requests watched, and shut it down at the end.

    Raises:
        AppStartError: A startup hook has failed.

    Runs in: any thread but the loop's.
    """
    before = instruments.watcher
    witness, evidence = _build_witness(Path.cwd())
    asgi = ASGI(app)
    life = live(asgi)
    instruments.set_watcher(witness)
    try:
        _wait(life.__aenter__(), _HOOKS_TIMEOUT_S)
        try:
            yield RunningApp(asgi, evidence)
        finally:
            _wait(life.__aexit__(None, None, None), _HOOKS_TIMEOUT_S)
    finally:
        instruments.set_watcher(before)


@cache
def _build_witness(root: Path) -> tuple[Witness, Evidence]:
    """Return the witness of this process: its threads stay, so one is made for a folder.

    The folder is a part of the key because places are told relative to it.
    """
    folder = tempfile.TemporaryDirectory(prefix="flasync-evidence-")
    atexit.register(folder.cleanup)
    path = Path(folder.name, "evidence.jsonl")
    return Witness(Flask(__name__), str(path)), Evidence(path)


def _wait(coroutine: Coroutine[Any, Any, T], timeout_s: float | None) -> T:
    """Return what a coroutine returns on the process's loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, portal.get_loop()).result(timeout_s)
