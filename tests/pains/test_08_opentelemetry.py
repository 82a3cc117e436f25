"""OpenTelemetry's Flask instrumentation, unchanged: one trace a request, never mixed."""

from typing import Any

import pytest

from pains.servers import Served

APP = "pains.apps.telemetry:asgi"
REQUESTS = 20


def spans(server: Served, expected: int) -> list[dict[str, Any]]:
    """The finished spans, once there are so many."""
    server.wait_until(
        lambda: len(server.client.get("/spans").json()) >= expected, f"{expected} spans"
    )
    found: list[dict[str, Any]] = server.client.get("/spans").json()
    assert len(found) == expected
    return found


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_spans_of_overlapping_requests_are_nested_right(server: Served, kind: str) -> None:
    """Each of 20 overlapping requests has its own trace: request, inner, innermost span."""
    server.client.post("/spans/clear")
    answers = server.get_at_once([f"/{kind}/{n}" for n in range(REQUESTS)])
    assert [answer.text for answer in answers] == ["ok"] * REQUESTS
    found = spans(server, 3 * REQUESTS)
    by_id = {span["id"]: span for span in found}
    for number in range(REQUESTS):
        (innermost,) = [span for span in found if span["name"] == f"innermost {number}"]
        inner = by_id[innermost["parent"]]
        request = by_id[inner["parent"]]
        assert inner["name"] == f"inner {number}"
        assert request["name"] == f"GET /{kind}/<int:number>"
        assert request["parent"] is None
        assert request["trace"] == inner["trace"] == innermost["trace"]
    assert len({span["trace"] for span in found}) == REQUESTS


@pytest.mark.parametrize("kind", ["sync-stream", "async-stream"])
def test_spans_inside_streams(server: Served, kind: str) -> None:
    """A span open across a stream's steps is parent of the spans in them, and is closed."""
    server.client.post("/spans/clear")
    answers = server.get_at_once([f"/{kind}/{n}" for n in range(REQUESTS)])
    assert [answer.text for answer in answers] == ["chunk" * 3] * REQUESTS
    found = spans(server, 5 * REQUESTS)
    for number in range(REQUESTS):
        (inner,) = [span for span in found if span["name"] == f"inner {number}"]
        innermost = [span for span in found if span["name"] == f"innermost {number}"]
        assert [span["parent"] for span in innermost] == [inner["id"]] * 3
        assert {span["trace"] for span in innermost} == {inner["trace"]}
    requests = [span for span in found if span["name"] == f"GET /{kind}/<int:number>"]
    assert len(requests) == REQUESTS


@pytest.mark.parametrize("kind", ["sync-stream", "async-stream"])
def test_spans_of_abandoned_streams_end(server: Served, kind: str) -> None:
    """The reader of a stream leaves: the request's span and the stream's are ended."""
    server.client.post("/spans/clear")
    with server.connect() as connection:
        connection.request(f"/{kind}/1")
        connection.read_until(b"chunk")
    server.wait_until(
        lambda: (
            {"inner 1", f"GET /{kind}/<int:number>"}
            <= {span["name"] for span in server.client.get("/spans").json()}
        ),
        "both spans to end",
    )


@pytest.mark.parametrize("kind", ["sync-error", "async-error"])
def test_the_span_of_a_failed_request_says_so(server: Served, kind: str) -> None:
    """A view that raises leaves one ended span with status 500."""
    server.client.post("/spans/clear")
    server.expect_log(r"Traceback \(most recent call last\)", "LookupError")
    assert server.client.get(f"/{kind}/1").status_code == 500
    (span,) = spans(server, 1)
    assert span["status"] == 500
