"""Async generators are responses, in every form, with the context at each step."""

import pytest

from pains.servers import Served

APP = "pains.apps.generators:asgi"
LANES = pytest.mark.parametrize("lane", ["sync", "async"])


@LANES
@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("returned", 200),
        ("in-response", 200),
        ("in-tuple", 201),
        ("response-in-tuple", 201),
        ("as-bytes", 200),
        ("as-iterator", 200),
    ],
)
def test_an_async_generator_is_a_body(server: Served, lane: str, form: str, status: int) -> None:
    """Its chunks are the body, and it is closed, in 20 overlapping requests."""
    answers = server.get_at_once([f"/{lane}/{form}?teardown"] * 20)
    assert [(answer.status_code, answer.text) for answer in answers] == [(status, "abc")] * 20
    if status == 201:
        assert {answer.headers["X-Form"] for answer in answers} == {"tuple"}
    server.wait_for("closed", 20)
    server.wait_for("teardown", 20)
    assert server.counts() == {"closed": 20, "teardown": 20}


@LANES
@pytest.mark.parametrize(
    "form",
    [
        "context-by-function",
        "context-by-decorator",
        "context-in-response",
        "context-in-tuple",
        "sync-generator",
    ],
)
def test_stream_with_context_keeps_it_at_every_step(server: Served, lane: str, form: str) -> None:
    """`request`, `g` and `session` are each request's own at each step and at the close."""
    path = f"/{lane}/{form}"
    answers = server.get_at_once([f"{path}?teardown"] * 20)
    expected = "".join(f"{step} {path} user of {path} {path}\n" for step in range(3))
    assert [answer.text for answer in answers] == [expected] * 20
    server.wait_for(f"closed in {path}", 20)
    server.wait_for("teardown", 20)
    assert server.counts()[f"closed in {path}"] == 20


def test_a_view_that_is_an_async_generator(server: Served) -> None:
    """A view may itself be an async generator function."""
    answer = server.client.get("/async/view-is-generator")
    assert (answer.status_code, answer.text) == (200, "abc")
    server.wait_for("closed")


@LANES
def test_a_generator_that_fails_midway(server: Served, lane: str) -> None:
    """The error ends the response unfinished and is logged; generator and context end."""
    server.expect_log(r"Traceback \(most recent call last\)", "LookupError")
    with server.connect() as connection:
        connection.request(f"/{lane}/fails-midway?teardown", b"Connection: close")
        received = connection.read_to_end()
    assert received.startswith(b"HTTP/1.1 200")
    assert not received.endswith(b"0\r\n\r\n")
    server.wait_for("closed")
    server.wait_for("teardown")
    assert server.counts() == {"closed": 1, "teardown": 1}


@LANES
def test_a_head_request_closes_the_generator(server: Served, lane: str) -> None:
    """A generator whose body nobody wants is closed unstarted; teardown runs once."""
    answer = server.client.head(f"/{lane}/returned?teardown")
    assert (answer.status_code, answer.content) == (200, b"")
    server.wait_for("teardown")
    assert server.counts()["teardown"] == 1
