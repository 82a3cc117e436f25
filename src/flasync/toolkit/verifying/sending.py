"""Sending a request alone, or many at once, and noting what happens to each and when.

The connections are made first, one for each request, and held at a gate until all are there; then
the requests are sent. To make connections costs the client 0.7 to 0.9 ms each (100 at once to a
server that answers without delay took 60 ms, and 14 ms with the gate), and it is done one after the
other: of 2,000 requests that connected when they were sent, the first were answered before the last
were under way. So a request starts when it passes the gate, and what its connection took is a
figure of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import hdrs
from yarl import URL

from flasync.toolkit.verifying.evidence_rows import IDENTITY_HEADER
from flasync.toolkit.verifying.failures import describe_failure
from flasync.toolkit.verifying.run import Request

# Bytes of a line, and of a header, that are read; aiohttp refuses 8 KB, browsers take more.
_MAX_HEADER_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as often as it may be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request."""

    id: str
    """The value of its `IDENTITY_HEADER`."""
    request: Request
    """Without marks."""
    headers: tuple[tuple[str, str], ...] = ()
    """Of the response, as they came."""
    body: bytes = b""
    """b"" also where bodies are not kept."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Requests that were sent at once."""

    begun_ms: float
    """`time.perf_counter()` in milliseconds, before the first connection was made."""
    origin_ms: float
    """The same when the first request was sent: the 0 of their times."""
    answers: tuple[Answer, ...]

    @property
    def wall_ms(self) -> float:
        """Milliseconds from the first request sent to the end of the last."""
        return max(answer.request.end_ms for answer in self.answers)


def send(
    question: Question,
    count: int = 1,
    timeout_s: float = 60.0,
    *,
    keep_bodies: bool = False,
    tell: Callable[[int], object] = lambda answered: None,
) -> Exchange:
    """Send a request so many times at once, and return when all are answered or have failed.

    Redirects are answers, cookies are forgotten, and proxies of the environment are not asked.

    Args:
        question: What is sent.
        count: How many requests, each on a connection of its own.
        timeout_s: Seconds after which a request, or the making of its connection, has failed.
        keep_bodies: Whether the answers have their bodies, besides the digests.
        tell: Called with the number of requests that have ended, after each.
    """
    volley = _Volley(question, count, timeout_s, keep_bodies, tell)
    records = asyncio.run(volley.send())
    origin = _find_origin(records)
    answers = tuple(_build_answer(record, origin) for record in records)
    return Exchange(records[0].begun * 1000, origin * 1000, answers)


@dataclass(slots=True, eq=False)
class _Record:
    """What happened to a request, and when by `time.perf_counter()`."""

    id: str
    begun: float
    connecting: float | None = None
    connected: float | None = None
    start: float | None = None
    sent: float | None = None
    first_byte: float | None = None
    end: float = 0.0
    status: int | None = None
    failure: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body_bytes: int = 0
    digest: str = ""
    body: bytes = b""
    limit: asyncio.Timeout = field(default_factory=lambda: asyncio.Timeout(None))

    def set_limit(self, seconds: float | None) -> None:
        """Let the request fail so many seconds from now; None: never."""
        loop = asyncio.get_running_loop()
        self.limit.reschedule(None if seconds is None else loop.time() + seconds)


class _Gate:
    """Holds back what has come until all are there that still can come."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._open = asyncio.Event()

    def count_down(self) -> None:
        """Take note of one that is there, or will never come."""
        self._missing -= 1
        if not self._missing:
            self._open.set()

    async def wait(self) -> None:
        """Return when the last one is there."""
        await self._open.wait()


class _Volley:
    """Requests that wait for each other's connections and then go together."""

    def __init__(
        self,
        question: Question,
        count: int,
        timeout_s: float,
        keep_bodies: bool,
        tell: Callable[[int], object],
    ) -> None:
        self._question = question
        self._url = URL(question.url)
        self._timeout_s = timeout_s
        self._keep_bodies = keep_bodies
        self._tell = tell
        self._ended = 0
        self._gate = _Gate(count)
        prefix, now = uuid.uuid4().hex[:12], time.perf_counter()
        self._records = [_Record(f"{prefix}-{number}", now) for number in range(count)]

    async def send(self) -> list[_Record]:
        """Return what became of the requests when all have ended."""
        async with self._open_session() as session:
            # A request whose connection broke is one that failed; a GET would be sent again.
            # aiohttp's own test client has no public switch for it either.
            session._retry_connection = False
            await asyncio.gather(*(self._carry(session, record) for record in self._records))
        return self._records

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            # What came over the wire is what two stacks are compared by.
            auto_decompress=False,
            skip_auto_headers=(hdrs.ACCEPT_ENCODING,),
            trace_configs=[self._build_trace()],
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        )

    def _build_trace(self) -> aiohttp.TraceConfig:
        async def note_connecting(session: Any, context: Any, params: Any) -> None:
            context.trace_request_ctx.connecting = time.perf_counter()

        async def pass_gate(session: Any, context: Any, params: Any) -> None:
            record = context.trace_request_ctx
            record.connected = time.perf_counter()
            record.set_limit(None)
            self._gate.count_down()
            await self._gate.wait()
            record.set_limit(self._timeout_s)
            record.start = time.perf_counter()

        async def note_sent(session: Any, context: Any, params: Any) -> None:
            context.trace_request_ctx.sent = time.perf_counter()

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_start.append(note_connecting)
        trace.on_connection_create_end.append(pass_gate)
        trace.on_request_headers_sent.append(note_sent)
        trace.on_request_chunk_sent.append(note_sent)
        return trace

    async def _carry(self, session: aiohttp.ClientSession, record: _Record) -> None:
        try:
            async with record.limit:
                record.set_limit(self._timeout_s)
                await self._ask(session, record)
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            record.status = None
            record.failure = describe_failure(error, self._timeout_s)
        record.end = time.perf_counter()
        if record.connected is None:
            self._gate.count_down()
        self._ended += 1
        self._tell(self._ended)

    async def _ask(self, session: aiohttp.ClientSession, record: _Record) -> None:
        async with session.request(
            self._question.method,
            self._url,
            headers=[(IDENTITY_HEADER, record.id), *self._question.headers],
            data=self._question.body or None,
            allow_redirects=False,
            trace_request_ctx=record,
        ) as response:
            record.first_byte = time.perf_counter()
            record.status = response.status
            record.headers = tuple(response.headers.items())
            body = await response.read()
            record.body_bytes = len(body)
            record.digest = hashlib.sha256(body).hexdigest()
            record.body = body if self._keep_bodies else b""


def _find_origin(records: list[_Record]) -> float:
    starts = [record.start for record in records if record.start is not None]
    return min(starts or [record.begun for record in records])


def _build_answer(record: _Record, origin: float) -> Answer:
    def count_ms(moment: float | None) -> float | None:
        return None if moment is None else (moment - origin) * 1000

    connect_ms = None
    if record.connecting is not None and record.connected is not None:
        connect_ms = (record.connected - record.connecting) * 1000
    request = Request(
        # What never passed the gate ended before the others began.
        start_ms=count_ms(record.start) or 0.0,
        connected_ms=None,
        sent_ms=count_ms(record.sent),
        first_byte_ms=count_ms(record.first_byte),
        end_ms=max(0.0, (record.end - origin) * 1000),
        status=record.status,
        failure=record.failure,
        body_bytes=record.body_bytes,
        digest=record.digest,
        connect_ms=connect_ms,
    )
    return Answer(record.id, request, record.headers, record.body)
