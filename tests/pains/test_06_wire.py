"""What servers and clients do on the wire reaches the app, and back, unharmed."""

import hashlib

import httpx
import pytest

from pains.servers import HTTP2_SERVERS, H2Connection, Served

APP = "pains.apps.wire:asgi"
LANES = pytest.mark.parametrize("lane", ["sync", "async"])
BODY = bytes(range(256)) * 800  # 200 KB of every byte
DIGEST = {"size_bytes": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}


def test_cookies_split_over_http2_header_fields(server: Served) -> None:
    """HTTP/2 may send a field a cookie: the app sees them all, as in HTTP/1.1."""
    crumbs = (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"cookie", b"c=3")
    if server.kind not in HTTP2_SERVERS:
        # No HTTP/2 without TLS here; HTTP/1.1 clients may send several lines as well.
        with server.connect() as connection:
            connection.request("/sync/cookies", *(b"Cookie: " + crumb for _, crumb in crumbs))
            answer = connection.read_answer()
    else:
        with H2Connection(server.port) as http2:
            answer = http2.read_answer(http2.request("/sync/cookies", *crumbs))
    assert answer.status == 200
    assert httpx.Response(200, content=answer.body).json() == {"a": "1", "b": "2", "c": "3"}


@LANES
def test_latin_1_headers_both_ways(server: Served, lane: str) -> None:
    """A header value beyond ASCII arrives as text and leaves as the same bytes."""
    with server.connect() as connection:
        connection.request(f"/{lane}/header", b"X-Name: caf\xe9")
        answer = connection.read_answer()
    assert answer.status == 200
    assert httpx.Response(200, content=answer.body).json() == {"name": "caf\xe9"}
    assert answer.get(b"x-name") == b"caf\xe9"


@LANES
def test_percent_encoded_query_bytes(server: Served, lane: str) -> None:
    """The query string reaches the app as sent: UTF-8 is decoded, other bytes stay encoded."""
    answer = server.client.get(f"/{lane}/query?q=%C3%A9%FF")
    assert answer.json() == {"raw": b"q=%C3%A9%FF".hex(), "q": "\xe9%FF"}


@LANES
def test_raw_query_bytes(server: Served, lane: str) -> None:
    """Unencoded non-ASCII bytes in the query are either kept or refused by the server."""
    with server.connect() as connection:
        connection.request(f"/{lane}/query?q=".encode() + b"\xc3\xa9")
        answer = connection.read_answer()
    assert (answer.status, server.kind) in RAW_QUERY
    if answer.status == 200:
        expected = {"raw": b"q=\xc3\xa9".hex(), "q": "\xe9"}
        assert httpx.Response(200, content=answer.body).json() == expected


# Which servers' parsers hand such bytes on, and which refuse the request line.
RAW_QUERY = {(400, "uvicorn"), (400, "hypercorn"), (200, "granian"), (400, "gunicorn")}


@LANES
def test_head(server: Served, lane: str) -> None:
    """HEAD has GET's Content-Length and no body: the next answer follows at once."""
    with server.connect() as connection:
        connection.request(f"/{lane}/hello", method="HEAD")
        head = connection.read_answer("HEAD")
        connection.request(f"/{lane}/hello")
        get = connection.read_answer()
    assert (head.status, head.get(b"content-length")) == (200, b"5")
    assert (get.status, get.body) == (200, b"hello")


@LANES
@pytest.mark.parametrize(
    ("path", "status"), [("no-content", 204), ("not-modified", 304)], ids=["204", "304"]
)
def test_statuses_without_a_body(server: Served, lane: str, path: str, status: int) -> None:
    """204 and 304 carry no body: the next answer on the connection follows at once."""
    with server.connect() as connection:
        connection.request(f"/{lane}/{path}", b'If-None-Match: "known"')
        answer = connection.read_answer()
        connection.request(f"/{lane}/hello")
        after = connection.read_answer()
    assert answer.status == status
    assert answer.get(b"transfer-encoding") is None
    assert (after.status, after.body) == (200, b"hello")


@LANES
@pytest.mark.parametrize("path", ["announce-100", "announce-2"])
def test_a_response_with_a_wrong_content_length_ends(server: Served, lane: str, path: str) -> None:
    """Neither a short nor a long body hangs the request or leaks past its length."""
    if (server.kind, path) in LOGGED_LENGTHS:
        server.expect_log(r"Traceback \(most recent call last\)", LOGGED_LENGTHS[server.kind, path])
    with server.connect() as connection:
        connection.request(f"/{lane}/{path}", b"Connection: close")
        _head, _, body = connection.read_to_end().partition(b"\r\n\r\n")
    assert b"hello"[: len(body)] == body
    assert len(body) <= int(path.removeprefix("announce-"))
    server.wait_for("teardown")
    assert server.counts() == {"teardown": 1}
    assert server.client.get(f"/{lane}/hello").text == "hello"


# What each server says of such a response. Those that are absent keep silent.
LOGGED_LENGTHS = {
    ("uvicorn", "announce-100"): "Response content shorter than Content-Length",
    ("hypercorn", "announce-100"): "Too little data for declared Content-Length",
}


@LANES
@pytest.mark.parametrize("length", [b"abc", b"-5", b"1, 2"])
def test_a_malformed_content_length_is_refused(server: Served, lane: str, length: bytes) -> None:
    """A Content-Length that is no number gets 400 and never reaches the view."""
    with server.connect() as connection:
        connection.request(f"/{lane}/upload", b"Content-Length: " + length, method="POST")
        assert connection.read_answer().status == 400
    assert server.events() == []


@LANES
def test_a_body_shorter_than_its_content_length(server: Served, lane: str) -> None:
    """A client that leaves before its announced body is complete never counts as complete."""
    connection = server.connect()
    connection.request(
        f"/{lane}/upload", b"Content-Length: 100000", method="POST", body=b"x" * 5000
    )
    server.wait_for("chunk")
    connection.leave()
    server.wait_for("teardown")
    assert "upload complete" not in server.events()
    assert server.counts()["teardown"] == 1


@LANES
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_disconnect_in_the_middle_of_a_chunked_upload(
    server: Served, lane: str, reset: bool
) -> None:
    """The read raises in the view, which ends; teardown runs once."""
    connection = server.connect()
    connection.request(
        f"/{lane}/upload",
        b"Transfer-Encoding: chunked",
        method="POST",
        body=b"1388\r\n" + b"x" * 5000 + b"\r\n",
    )
    server.wait_for("chunk")
    connection.leave(reset=reset)
    server.wait_for("teardown")
    assert "upload complete" not in server.events()
    assert server.counts()["teardown"] == 1
    assert server.client.get(f"/{lane}/hello").text == "hello"


@LANES
def test_expect_100_continue(server: Served, lane: str) -> None:
    """The client is told to go on once the view reads, and its body arrives whole."""
    with server.connect() as connection:
        connection.request(
            f"/{lane}/upload",
            b"Expect: 100-continue",
            b"Content-Length: %d" % len(BODY),
            method="POST",
        )
        assert connection.read_answer().status == 100
        connection.send(BODY)
        answer = connection.read_answer()
    assert answer.status == 200
    assert httpx.Response(200, content=answer.body).json() == DIGEST


@LANES
def test_expect_100_continue_for_a_view_that_does_not_read(server: Served, lane: str) -> None:
    """A view that ignores the body answers at once: the final status comes without the body."""
    with server.connect() as connection:
        connection.request(
            f"/{lane}/ignore",
            b"Expect: 100-continue",
            b"Content-Length: %d" % len(BODY),
            method="POST",
        )
        answer = connection.read_answer()
        if answer.status == 100:
            # hypercorn asks for the body before the app does.
            assert server.kind in ("hypercorn",)
            answer = connection.read_answer()
    assert (answer.status, answer.body) == (200, b"ignored")


@LANES
def test_a_chunked_upload(server: Served, lane: str) -> None:
    """A body without Content-Length arrives whole."""
    pieces = [BODY[start : start + 7777] for start in range(0, len(BODY), 7777)]
    answer = server.client.post(f"/{lane}/upload", content=iter(pieces))
    assert (answer.status_code, answer.json()) == (200, DIGEST)


@LANES
def test_a_chunked_form(server: Served, lane: str) -> None:
    """Flask parses a form that comes without Content-Length."""
    answer = server.client.post(
        f"/{lane}/form",
        content=iter([b"a=1&", b"b=caf%C3%A9"]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json() == {"a": "1", "b": "caf\xe9"}


@LANES
def test_an_upload_with_content_length(server: Served, lane: str) -> None:
    """A body with Content-Length arrives whole."""
    answer = server.client.post(f"/{lane}/upload", content=BODY)
    assert (answer.status_code, answer.json()) == (200, DIGEST)


@LANES
def test_an_http2_upload(server: Served, lane: str) -> None:
    """A body over HTTP/2, without Content-Length, arrives whole."""
    if server.kind not in HTTP2_SERVERS:
        # HTTP/1.0, the other protocol version without chunks, in its place.
        with server.connect() as connection:
            connection.send(
                b"POST /%s/upload HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc" % lane.encode()
            )
            assert b"200" in connection.read_until(b"\r\n")
        return
    with httpx.Client(http1=False, http2=True, base_url=server.url, verify=False) as client:
        pieces = [BODY[start : start + 7777] for start in range(0, len(BODY), 7777)]
        answer = client.post(f"/{lane}/upload", content=iter(pieces))
        assert answer.http_version == "HTTP/2"
        assert (answer.status_code, answer.json()) == (200, DIGEST)
