"""`flasync.wsgi.response`: the response that a WSGI server would send, as ASGI messages."""

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from flasync.errors import StartResponseError
from flasync.wsgi.response import ResponseHead, build_headers, build_messages, parse_status

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Messages = list[dict[str, Any]]
TEXT = ("Content-Type", "text/plain")


def respond(app: App, method: str = "GET", path: str = "/") -> Messages:
    """The messages that an app's response becomes, close() included, as an exchange does it."""
    messages: Messages = []
    environ = EnvironBuilder(path, method=method).get_environ()
    head = ResponseHead(method, messages.extend)
    chunks = app(environ, head.start_response)
    try:
        for group in build_messages(head, chunks):
            messages.extend(group)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return messages


def get_body(messages: Messages) -> bytes:
    """The body of a response."""
    return b"".join(message["body"] for message in messages[1:])


def build_app(
    chunks: Iterable[bytes], status: str = "200 OK", headers: list[tuple[str, str]] | None = None
) -> App:
    """A WSGI app that gives one response."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, [TEXT] if headers is None else headers)
        return chunks

    return app


def check_protocol(messages: Messages) -> None:
    """A response is one start, then bodies, of which the last and only the last ends it."""
    assert [message["type"] for message in messages] == [
        "http.response.start",
        *["http.response.body"] * (len(messages) - 1),
    ]
    assert [message["more_body"] for message in messages[1:]] == [
        *[True] * (len(messages) - 2),
        False,
    ]


# --- compared with plain WSGI -------------------------------------------------------------------

example = flask.Flask("example")


@example.get("/text")
def text() -> str:
    return "größe"


@example.get("/json")
def json() -> dict[str, int]:
    return {"a": 1}


@example.get("/stream")
def stream() -> Iterator[str]:
    yield ""
    yield "a"
    yield "b"


@example.get("/cookies")
def cookies() -> flask.Response:
    response = flask.Response("x", headers=[("X-Latin", "größe")])
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@example.get("/nothing")
def nothing() -> tuple[str, int]:
    return "", 204


@example.get("/error")
def error() -> str:
    flask.abort(418)


@example.get("/range")
def range_() -> flask.Response:
    import io  # noqa: PLC0415  one view's own

    return flask.send_file(io.BytesIO(b"0123456789"), mimetype="text/plain", conditional=True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("rule", sorted(r.rule for r in example.url_map.iter_rules()))
def test_equals_plain_wsgi(rule: str, method: str) -> None:
    """Status, headers and body are those of the same app under plain WSGI."""
    path = rule.replace("<path:filename>", "none")
    messages = respond(example, method, path)
    check_protocol(messages)
    environ = EnvironBuilder(path, method=method).get_environ()
    chunks, status, headers = run_wsgi_app(example, environ, buffered=True)
    assert messages[0]["status"] == int(status[:3])
    assert messages[0]["headers"] == [
        (name.lower().encode(), value.encode("latin-1")) for name, value in headers
    ]
    assert get_body(messages) == (b"" if method == "HEAD" else b"".join(chunks))


@given(st.lists(st.binary(max_size=3), max_size=6))
def test_body_is_the_chunks(chunks: list[bytes]) -> None:
    """Whatever the chunks are, empty ones among them, the body is their sum and ends once."""
    messages = respond(build_app(chunks))
    check_protocol(messages)
    assert get_body(messages) == b"".join(chunks)


# --- Content-Length -----------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=3), max_size=6), st.integers(0, 20))
def test_wrong_content_length(chunks: list[bytes], length: int) -> None:
    """What goes beyond Content-Length is cut; what falls short ends where it ends."""
    messages = respond(build_app(chunks, headers=[("Content-Length", str(length))]))
    check_protocol(messages)
    assert get_body(messages) == b"".join(chunks)[:length]


def test_full_content_length_ends_the_response_with_its_last_chunk() -> None:
    """The chunk that fills Content-Length is the last message, and code after it still runs."""
    log: list[str] = []

    def generate() -> Generator[bytes]:
        try:
            yield b"ab"
            yield b"cd"
            log.append("after the last chunk")
            yield b""
            log.append("at the end")
        finally:
            log.append("closed")

    messages = respond(build_app(generate(), headers=[("Content-Length", "4")]))
    check_protocol(messages)
    assert len(messages) == 3
    assert log == ["after the last chunk", "at the end", "closed"]


def test_data_in_excess_ends_the_body() -> None:
    """An endless body is not read on when it has filled its Content-Length."""
    asked: list[int] = []

    def generate() -> Generator[bytes]:
        try:
            for number in range(1000):
                asked.append(number)
                yield b"ab"
        finally:
            asked.append(-1)

    messages = respond(build_app(generate(), headers=[("Content-Length", "4")]))
    check_protocol(messages)
    assert get_body(messages) == b"abab"
    assert asked == [0, 1, 2, -1]


# --- responses without a body -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", "200 OK"), ("GET", "204 NO CONTENT"), ("GET", "304 NOT MODIFIED")],
)
def test_no_body(method: str, status: str) -> None:
    """HEAD, 204 and 304 have headers and no body; the body is closed all the same."""
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"", b"body"])

        def close(self) -> None:
            closed.append(True)

    messages = respond(build_app(Body(), status, [TEXT, ("Content-Length", "4")]), method)
    check_protocol(messages)
    assert get_body(messages) == b""
    assert (b"content-length", b"4") in messages[0]["headers"]
    assert closed == [True]


# --- start_response -----------------------------------------------------------------------------


def test_start_response_at_the_first_chunk() -> None:
    """A generator app calls start_response when its first chunk is asked for."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Generator[bytes]:
        yield b""
        start_response("201 CREATED", [TEXT])
        yield b"late"

    messages = respond(app)
    check_protocol(messages)
    assert (messages[0]["status"], get_body(messages)) == (201, b"late")


def test_start_response_in_an_empty_generator() -> None:
    """A generator app that only calls start_response has an empty body."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Generator[bytes]:
        start_response("202 ACCEPTED", [TEXT])
        yield from ()

    messages = respond(app)
    check_protocol(messages)
    assert (messages[0]["status"], get_body(messages)) == (202, b"")


@pytest.mark.parametrize("chunks", [[b"data"], []])
def test_without_start_response(chunks: list[bytes]) -> None:
    """An app that never calls start_response is told so."""
    with pytest.raises(StartResponseError, match="without calling start_response"):
        respond(lambda environ, start_response: chunks)


def test_second_start_response() -> None:
    """A second start_response without exc_info is an error, as PEP 3333 says."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [TEXT])
        start_response("500 OOPS", [TEXT])
        return []

    with pytest.raises(StartResponseError, match="a second time"):
        respond(app)


def test_exc_info_before_the_head_is_sent() -> None:
    """With exc_info an app replaces a response of which nothing is sent, its length too."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        error = ValueError("oops")
        start_response("500 OOPS", [TEXT], (ValueError, error, None))
        return [b"sorry"]

    messages = respond(app)
    check_protocol(messages)
    assert (messages[0]["status"], get_body(messages)) == (500, b"sorry")


def test_exc_info_after_the_head_is_sent() -> None:
    """With exc_info an app that has sent its head gets its own exception back."""
    log: list[str] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Generator[bytes]:
        start_response("200 OK", [TEXT])
        yield b"begun"
        error = ValueError("oops")
        try:
            start_response("500 OOPS", [TEXT], (ValueError, error, None))
        finally:
            log.append("app ended")

    with pytest.raises(ValueError, match="oops"):
        respond(app)
    assert log == ["app ended"]


# --- write --------------------------------------------------------------------------------------


def test_write() -> None:
    """What is written goes before the iterable, each piece at once."""
    sent: list[Messages] = []
    head = ResponseHead("GET", sent.append)
    write = head.start_response("200 OK", [TEXT])
    assert sent == []
    write(b"a")
    write(b"b")
    assert [get_body([{}, *group]) if len(group) == 1 else group[1]["body"] for group in sent] == [
        b"a",
        b"b",
    ]
    sent.extend(build_messages(head, [b"c"]))
    messages = [message for group in sent for message in group]
    check_protocol(messages)
    assert get_body(messages) == b"abc"


def test_write_nothing_sends_the_head() -> None:
    """Writing an empty string sends the head: servers did so, and clients waited for it."""
    sent: list[Messages] = []
    head = ResponseHead("GET", sent.append)
    head.start_response("200 OK", [TEXT])(b"")
    assert [message["type"] for message in sent[0]] == ["http.response.start"]


def test_write_without_body() -> None:
    """What is written in answer to HEAD is not sent."""
    sent: list[Messages] = []
    head = ResponseHead("HEAD", sent.append)
    head.start_response("200 OK", [TEXT])(b"body")
    sent.extend(build_messages(head, []))
    messages = [message for group in sent for message in group]
    check_protocol(messages)
    assert get_body(messages) == b""


@given(
    st.lists(st.binary(max_size=3), max_size=3),
    st.lists(st.binary(max_size=3), max_size=3),
    st.integers(0, 12),
)
def test_write_counts_towards_content_length(
    written: list[bytes], chunks: list[bytes], length: int
) -> None:
    """Written bytes count: what goes beyond Content-Length is cut, however it was given."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        write = start_response("200 OK", [("Content-Length", str(length))])
        for piece in written:
            write(piece)
        return chunks

    messages = respond(app)
    check_protocol(messages)
    assert get_body(messages) == b"".join([*written, *chunks])[:length]


# --- status and headers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [("200 OK", 200), ("404 NOT FOUND", 404), ("299 ", 299), ("599 Own", 599), ("200", 200)],
)
def test_status(status: str, code: int) -> None:
    """A status line begins with its code."""
    assert parse_status(status) == code


@pytest.mark.parametrize("status", ["", "OK", "20 OK", "2000 OK", "099 LOW", "²00 OK", "-10 X"])
def test_bad_status(status: str) -> None:
    """A status line without a code of three digits is refused and named."""
    with pytest.raises(StartResponseError) as info:
        parse_status(status)
    assert repr(status) in str(info.value)


def test_headers_are_lower_case_bytes() -> None:
    """Names are lower-cased, values are Latin-1; order and repetition stay."""
    headers, length = build_headers(
        [("Set-Cookie", "b=1"), ("X-Größe".replace("öß", "oe"), "größe"), ("Set-Cookie", "a=2")]
    )
    assert headers == [
        (b"set-cookie", b"b=1"),
        (b"x-groee", "größe".encode("latin-1")),
        (b"set-cookie", b"a=2"),
    ]
    assert length is None


@pytest.mark.parametrize(
    "name",
    ["Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"],
)
def test_hop_by_hop_headers_are_left_out(name: str) -> None:
    """Headers about the connection are the server's business."""
    assert build_headers([(name, "x"), ("Date", "today")])[0] == [(b"date", b"today")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Name", "日本"),
        ("X-Name", "a\r\nSet-Cookie: evil=1"),
        ("X-Name", "a\nb"),
        ("X-Name", "a\0b"),
        ("X-Größe", "a"),
        ("X-Name\r\nSet-Cookie", "evil=1"),
        ("X-Name: a\nX-Other", "b"),
        ("X Name", "a"),
        ("X-Name:", "a"),
        ("", "a"),
        ("Content-Length", "many"),
        ("Content-Length", "-1"),
        ("Content-Length", ""),
        ("Content-Length", "1, 1"),
        ("Content-Length", "²"),
    ],
)
def test_bad_header(name: str, value: str) -> None:
    """A header that cannot be sent, or that would be taken for two, is refused and named."""
    with pytest.raises(StartResponseError) as info:
        build_headers([(name, value)])
    assert repr(name) in str(info.value)


def test_many_names_are_not_remembered() -> None:
    """The memory of header names is bounded, the translation is not."""
    names = [f"X-Own-{number}" for number in range(3000)]
    headers, _ = build_headers([(name, "v") for name in names])
    assert [name for name, _ in headers] == [name.lower().encode() for name in names]
    from flasync.wsgi import response as module  # noqa: PLC0415  beside the one test that looks in

    assert len(module._NAMES) <= module._MOST_NAMES
