"""Sending requests, against servers that know what was asked when."""

import asyncio
import hashlib

import psutil
import pytest

from flasync.toolkit.verifying.evidence_rows import IDENTITY_HEADER
from flasync.toolkit.verifying.sending import Question, send
from toolkit.verifying.raw_servers import OK, Gate, open_answering, open_server


def test_requests_are_sent_at_once() -> None:
    """All requests are on the way before one is answered, each on a connection of its own."""
    gate = Gate(free=0, count=12)
    with open_server(gate.serve) as url:
        sent = send(Question("GET", url), 12)
    assert sorted(gate.events[:24]) == ["asked"] * 12 + ["connected"] * 12
    assert gate.events[24:] == ["answered"] * 12
    assert [answer.request.status for answer in sent.answers] == [200] * 12
    assert len({answer.id for answer in sent.answers}) == 12


def test_connections_come_first() -> None:
    """When a request comes in, the connections of all are there."""
    counts: list[int] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")
        await reader.readuntil(b"\r\n\r\n")
        if not counts:
            made = (one.raddr for one in psutil.Process().net_connections() if one.raddr)
            counts.append(sum(tuple(remote) == address for remote in made))
        writer.write(OK)

    with open_server(count) as url:
        send(Question("GET", url), 12)
    assert counts == [12]


def test_times_are_in_order() -> None:
    """A request starts, is sent, sees its first byte and ends; the first starts at 0."""
    gate = Gate(free=0, count=5)
    with open_server(gate.serve) as url:
        sent = send(Question("GET", url), 5)
    assert sent.begun_ms < sent.origin_ms
    assert min(answer.request.start_ms for answer in sent.answers) == 0
    for request in (answer.request for answer in sent.answers):
        assert request.sent_ms is not None
        assert request.first_byte_ms is not None
        assert request.start_ms < request.sent_ms < request.first_byte_ms < request.end_ms
        assert request.end_ms <= sent.wall_ms
        assert request.connect_ms is not None
        assert 0 < request.connect_ms


def test_what_is_sent() -> None:
    """Method, target, headers and body are as they were ordered, with the request's id."""
    with open_answering(OK) as (url, requests):
        question = Question("POST", f"{url}/a%2Fb?q=x%20y", (("X-Color", "red"),), b'{"a": 1}')
        (answer,) = send(question).answers
    head, _, body = requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a%2Fb?q=x%20y HTTP/1.1"
    assert {"X-Color: red", f"{IDENTITY_HEADER}: {answer.id}"} <= set(lines)
    assert body == b'{"a": 1}'


def test_what_comes_back() -> None:
    """Headers are kept as they came, a body by its size and digest, and itself if asked for."""
    with open_answering(OK) as (url, _):
        (brief,) = send(Question("GET", url)).answers
        (full,) = send(Question("GET", url), keep_bodies=True).answers
    assert (brief.body, full.body) == (b"", b"ok")
    assert full.headers == (("Content-Length", "2"),)
    assert brief.request.body_bytes == 2
    assert brief.request.digest == full.request.digest == hashlib.sha256(b"ok").hexdigest()


def test_redirects_are_answers() -> None:
    """A redirect is not followed."""
    with open_answering(b"HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n") as (url, requests):
        (answer,) = send(Question("GET", url)).answers
    assert (answer.request.status, len(requests)) == (302, 1)


def test_cookies_are_forgotten() -> None:
    """What one response sets, no other request sends."""
    with open_answering(b"HTTP/1.1 204 Yes\r\nset-cookie: a=b\r\n\r\n") as (url, requests):
        send(Question("GET", url))
        send(Question("GET", url))
    assert b"Cookie" not in requests[1]


def test_compressed_bodies_are_left_alone() -> None:
    """Compression is not asked for, and a body is what came over the wire."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok"
    with open_answering(answer) as (url, requests):
        (sent,) = send(Question("GET", url), keep_bodies=True).answers
    assert sent.body == b"ok"
    assert b"accept-encoding" not in requests[0].lower()


def test_large_headers_are_read() -> None:
    """A header that browsers take is no failure."""
    answer = b"HTTP/1.1 204 Yes\r\nset-cookie: a=" + b"b" * 30_000 + b"\r\n\r\n"
    with open_answering(answer) as (url, _):
        assert send(Question("GET", url)).answers[0].request.status == 204


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "the server closed the connection without an answer"),
        (OK[:-1], "the answer ended before it was complete"),
        (b"SSH-2.0\r\n\r\n", "the answer is no HTTP"),
    ],
)
def test_failures_have_words(answer: bytes, words: str) -> None:
    """A request without a response says why, and the others do not wait for it."""
    with open_answering(answer) as (url, requests):
        sent = send(Question("GET", url), 3)
    assert len(requests) == 3  # None is sent again.
    for request in (answer.request for answer in sent.answers):
        assert request.status is None
        assert request.failure is not None
        assert request.failure.startswith(words)


def test_timeouts_are_failures() -> None:
    """A request that is not answered in time is a failure, counted from when it is sent."""
    gate = Gate(free=0, count=3)  # One more than will come: the two wait in vain.
    with open_server(gate.serve) as url:
        sent = send(Question("GET", url), 2, timeout_s=0.5)
    assert sorted(gate.events) == ["asked"] * 2 + ["connected"] * 2
    failures = [answer.request.failure for answer in sent.answers]
    assert failures == ["no answer within 0.5 s"] * 2


def test_nothing_listens() -> None:
    """Where nothing listens, all requests fail at once, with their times in order."""
    sent = send(Question("GET", "http://127.0.0.1:9/"), 2)
    for request in (answer.request for answer in sent.answers):
        assert request.failure == "the connection was refused: nothing listens there"
        assert 0 <= request.start_ms <= request.end_ms


def test_an_unknown_host() -> None:
    """A host that does not exist is named."""
    (answer,) = send(Question("GET", "http://nowhere.invalid/")).answers
    assert answer.request.failure == "the host 'nowhere.invalid' is not known"


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app on loopback is asked directly, whatever proxy the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with open_answering(OK) as (url, _):
        assert send(Question("GET", url)).answers[0].request.status == 200


def test_ends_are_told() -> None:
    """Who asks is told of each request that has ended."""
    told: list[int] = []
    with open_answering(OK) as (url, _):
        send(Question("GET", url), 4, tell=told.append)
    assert told == [1, 2, 3, 4]
