"""MAX_CONTENT_LENGTH is enforced while the body streams in."""

import asyncio
import contextlib
import io
import select
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import flask
import httpx
import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

import flasync
from pains.apps import uploads
from pains.servers import ANSWER_S, ClosedError, RawConnection, Served

Serving = Callable[[flask.Flask], AbstractAsyncContextManager[flasync.ASGI]]

APP = "pains.apps.uploads:asgi"
LIMIT_BYTES = 64 * 1024
TOTAL_BYTES = 256 * 1024 * 1024
LANES = pytest.mark.parametrize("lane", ["sync", "async"])
READS = pytest.mark.parametrize("read", ["pieces", "data", "form"])
FORM_TYPE = "application/x-www-form-urlencoded"
FORM = b"Content-Type: " + FORM_TYPE.encode()


def ask_stock(read: str, size_bytes: int) -> tuple[int, bytes]:
    """Status and body that Flask gives under WSGI to a chunked body of so many bytes.

    Werkzeug refuses with 413 what is read piece by piece. What is read in one go it cuts at the
    limit, without a word (as of 3.1); that too must be the same through flasync.
    """
    environ = EnvironBuilder(
        path=f"/sync/{read}",
        method="POST",
        input_stream=io.BytesIO(b"x" * size_bytes),
        content_type=FORM_TYPE,
    ).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ["wsgi.input_terminated"] = True
    chunks, status, _ = run_wsgi_app(uploads.app, environ, buffered=True)
    return int(status[:3]), b"".join(chunks)


def send_until_answered(connection: RawConnection, piece: bytes) -> tuple[int, bool]:
    """Send chunks until the server answers or closes.

    Returns the bytes of body sent, and whether the connection was reset meanwhile.
    """
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    sent_bytes = 0
    while sent_bytes < TOTAL_BYTES:
        readable, writable, _ = select.select(
            [connection.socket], [connection.socket], [], ANSWER_S
        )
        assert readable or writable, "the server neither reads nor answers"
        if readable:
            break
        try:
            connection.send(chunk)
        except ConnectionError:
            return sent_bytes, True
        sent_bytes += len(piece)
    return sent_bytes, False


@LANES
@READS
def test_a_chunked_body_over_the_limit_is_cut_off(server: Served, lane: str, read: str) -> None:
    """Without Content-Length the answer comes long before the body's end, as under WSGI."""
    if server.kind == "hypercorn":
        # Hypercorn 0.18 puts a body into a queue of ten pieces and waits there for ever once
        # the app has answered, whatever the app: it no longer sees the client leave, nor ends
        # on SIGTERM (a bare ASGI function that answers 413 shows it).
        server.ends_on_sigterm = False
    with server.connect() as connection:
        connection.request(f"/{lane}/{read}", b"Transfer-Encoding: chunked", FORM, method="POST")
        sent_bytes, was_reset = send_until_answered(connection, b"x" * 16384)
        # A server that closes with unread data resets the connection (RFC 9112, 9.6): then
        # the answer, or the end of it, may be lost on its way. The system reports a reset once;
        # after a write has failed with it, reading just comes to an end.
        with contextlib.suppress(ConnectionResetError, *([ClosedError] if was_reset else [])):
            answer = connection.read_answer()
            assert (answer.status, answer.body) == ask_stock(read, 5 * LIMIT_BYTES)
    # The kernel's and the server's buffers took some; the app would have taken it all.
    assert sent_bytes < TOTAL_BYTES / 4
    server.wait_for("teardown")
    events = server.events()
    assert events.count("teardown") == 1
    assert sum(int(event[5:]) for event in events if event[:5] == "read ") <= LIMIT_BYTES
    assert server.client.get("/ping").text == "pong"


@LANES
@READS
def test_an_announced_body_over_the_limit_is_refused(server: Served, lane: str, read: str) -> None:
    """With a Content-Length, 413 comes before any of the body is sent."""
    with server.connect() as connection:
        connection.request(
            f"/{lane}/{read}", b"Content-Length: %d" % TOTAL_BYTES, FORM, method="POST"
        )
        assert connection.read_answer().status == 413
    server.wait_for("teardown")
    assert server.counts() == {"teardown": 1}


@LANES
@READS
@pytest.mark.parametrize("size_bytes", [LIMIT_BYTES - 1, LIMIT_BYTES, LIMIT_BYTES + 1])
def test_chunked_bodies_around_the_limit(
    server: Served, lane: str, read: str, size_bytes: int
) -> None:
    """One byte below, at and above the limit, the answer is Flask's own."""
    body = [b"x" * 4096] * (size_bytes // 4096) + [b"x" * (size_bytes % 4096)]
    headers = {"Content-Type": FORM_TYPE, "Connection": "close"}
    for _ in range(10):
        try:
            # On a connection of its own: where the rest of a body was not read, Granian may leave
            # the next request of the connection without an answer.
            answer = httpx.post(
                f"{server.url}/{lane}/{read}",
                content=iter(body),
                headers=headers,
                timeout=ANSWER_S,
                verify=False,
            )
            break
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            # From the limit on Flask does not read the body's end, and the server may reset
            # the connection together with its answer (RFC 9112, 9.6), as a race.
            assert size_bytes >= LIMIT_BYTES
    assert (answer.status_code, answer.content) == ask_stock(read, size_bytes)


@LANES
def test_a_chunked_body_within_the_limit_is_whole(server: Served, lane: str) -> None:
    """A body below the limit arrives whole."""
    answer = server.client.post(f"/{lane}/pieces", content=iter([b"x" * 16000] * 4))
    assert (answer.status_code, answer.json()) == (200, {"size_bytes": 64000})


@LANES
@READS
async def test_no_more_than_the_limit_is_asked_for(serving: Serving, lane: str, read: str) -> None:
    """The app stops calling `receive` once the limit is passed (a fake server counts)."""
    received_bytes = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal received_bytes
        await asyncio.sleep(0)
        if received_bytes >= TOTAL_BYTES:
            return {"type": "http.disconnect"}
        received_bytes += 4096
        return {"type": "http.request", "body": b"x" * 4096, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/{lane}/{read}",
        "raw_path": f"/{lane}/{read}".encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"transfer-encoding", b"chunked"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    async with serving(uploads.app) as asgi:
        await asyncio.wait_for(asgi(scope, receive, send), ANSWER_S)
    body = b"".join(message.get("body", b"") for message in sent)
    assert (sent[0]["status"], body) == ask_stock(read, 5 * LIMIT_BYTES)
    # What Werkzeug reads to notice the excess, and one message under way.
    assert received_bytes <= 4 * LIMIT_BYTES
