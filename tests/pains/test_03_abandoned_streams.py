"""Streams whose readers leave: closed promptly, torn down, and in nobody's way."""

from collections.abc import Sequence

import pytest

from pains.servers import H2Connection, RawConnection, Served

APP = "pains.apps.streams:asgi"
STREAMS = 100


def open_streams(server: Served, paths: Sequence[str]) -> list[RawConnection]:
    """A connection a path, each of which has received its stream's first chunk."""
    connections = []
    for path in paths:
        connection = server.connect()
        connection.request(f"/streams/{path}")
        connections.append(connection)
    for connection in connections:
        connection.read_until(b"tick\n")
    return connections


def abandon(connections: Sequence[RawConnection]) -> None:
    """Leave, every second one with a reset."""
    for number, connection in enumerate(connections):
        connection.leave(reset=number % 2 == 0)


@pytest.mark.parametrize(
    "kind",
    [
        "sync",
        "async",
        "sync-view-async-generator",
        "async-view-sync-generator",
        "async-silent",
        "sync-view-async-silent",
    ],
)
def test_a_hundred_abandoned_streams_are_closed(server: Served, kind: str) -> None:
    """Bystanders answer beside 100 streams; once abandoned, all close, with 100 teardowns."""
    connections = open_streams(server, [kind] * STREAMS)
    assert server.client.get("/ping").text == "pong"
    assert server.client.get("/sync-ping").text == "pong"
    abandon(connections)
    assert server.client.get("/ping").text == "pong"
    assert server.client.get("/sync-ping").text == "pong"
    server.wait_for("closed", STREAMS)
    server.wait_for("teardown", STREAMS)
    assert server.counts() == {"opened": STREAMS, "closed": STREAMS, "teardown": STREAMS}


def test_abandoned_streams_of_both_lanes_at_once(server: Served) -> None:
    """50 streams of each lane, open and abandoned together, are all closed."""
    connections = open_streams(server, ["sync", "async"] * (STREAMS // 2))
    assert server.client.get("/ping").text == "pong"
    assert server.client.get("/sync-ping").text == "pong"
    abandon(connections)
    server.wait_for("closed", STREAMS)
    server.wait_for("teardown", STREAMS)
    assert server.counts() == {"opened": STREAMS, "closed": STREAMS, "teardown": STREAMS}


def test_abandoned_streams_with_context_are_closed(server: Served) -> None:
    """Streams under `stream_with_context` are closed and torn down when abandoned."""
    connections = open_streams(server, ["sync-with-context"] * STREAMS)
    abandon(connections)
    server.wait_for("closed", STREAMS)
    # Flask 3.1 itself tears down twice here: when the view's context is popped and when
    # the stream's is. What matters is that each stream's context ends.
    server.wait_for("teardown", STREAMS)
    counts = server.counts()
    assert (counts["opened"], counts["closed"]) == (STREAMS, STREAMS)


def test_streams_abandoned_under_back_pressure_are_closed(server: Served) -> None:
    """Streams whose readers stopped reading, then left, are closed too."""
    connections = []
    for _ in range(STREAMS):
        connection = server.connect(receive_bytes=4096)
        connection.request("/streams/flood")
        connections.append(connection)
    for connection in connections:
        connection.read_until(b"....")
    assert server.client.get("/ping").text == "pong"
    assert server.client.get("/sync-ping").text == "pong"
    abandon(connections)
    server.wait_for("closed", STREAMS)
    server.wait_for("teardown", STREAMS)
    assert server.counts() == {"opened": STREAMS, "closed": STREAMS, "teardown": STREAMS}


@pytest.mark.parametrize("kind", ["sync", "async", "async-silent"])
def test_an_http2_stream_that_is_reset_is_closed(server: Served, kind: str) -> None:
    """One HTTP/2 stream reset among others on its connection is closed; the others go on."""
    if server.kind not in ("hypercorn", "granian"):
        # uvicorn's parser and gunicorn's worker speak HTTP/2 only over TLS or not at all;
        # a prior-knowledge greeting gets an HTTP/1.1 error from both.
        with server.connect() as connection:
            connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            assert b"HTTP/1.1" in connection.read_to_end()
        return
    with H2Connection(server.port) as http2:
        kept = http2.request(f"/streams/{kind}")
        abandoned = http2.request(f"/streams/{kind}")
        http2.read_body_start(kept)
        http2.read_body_start(abandoned)
        http2.reset(abandoned)
        server.wait_for("closed")
        answer = http2.read_answer(http2.request("/ping"))
        assert (answer.status, answer.body) == (200, b"pong")
        assert server.counts() == {"opened": 2, "closed": 1, "teardown": 2}
    server.wait_for("closed", 2)
