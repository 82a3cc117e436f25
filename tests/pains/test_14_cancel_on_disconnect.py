"""The client leaves a long async view: it is cancelled at its await, or has opted out."""

import pytest

from pains.servers import HTTP2_SERVERS, H2Connection, Served

APP = "pains.apps.leaving:app"


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_an_abandoned_async_view_is_cancelled(server: Served, reset: bool) -> None:
    """The await raises CancelledError, `finally` may wait itself, then teardown, once each."""
    connection = server.connect()
    connection.request("/slow/async")
    server.wait_for("view entered")
    connection.leave(reset=reset)
    server.wait_for("app teardown slow_async")
    assert server.events() == [
        "view entered",
        "cancelled: open /slow/async",
        "finally: open /slow/async",
        "teardown slow_async",
        "app teardown slow_async",
    ]


def test_sync_code_below_an_abandoned_async_view_is_cancelled(server: Served) -> None:
    """`await_` in sync code raises CancelledError too: its `finally` runs, then teardown."""
    connection = server.connect()
    connection.request("/slow/async-in-await")
    server.wait_for("view entered")
    connection.leave()
    server.wait_for("app teardown slow_in_sync_code")
    assert server.events() == [
        "view entered",
        "finally: open /slow/async-in-await",
        "teardown slow_in_sync_code",
        "app teardown slow_in_sync_code",
    ]


def test_a_reset_http2_request_is_cancelled(server: Served) -> None:
    """A reset of one HTTP/2 stream cancels its view; the connection serves on."""
    if server.kind not in HTTP2_SERVERS:
        # Neither uvicorn's parser nor gunicorn's worker takes HTTP/2 without TLS.
        with server.connect() as connection:
            connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            assert b"HTTP/1.1" in connection.read_to_end()
        return
    with H2Connection(server.port) as http2:
        stream = http2.request("/slow/async")
        server.wait_for("view entered")
        http2.reset(stream)
        server.wait_for("app teardown slow_async")
        assert "cancelled: open /slow/async" in server.events()
        assert http2.read_answer(http2.request("/ping")).body == b"pong"


def test_a_route_can_opt_out(server: Served) -> None:
    """`@on_loop(cancel_on_disconnect=False)` lets the view finish though its client left."""
    opted_out = server.connect()
    opted_out.request("/slow/opted-out")
    server.wait_for("opted-out view entered")
    witness = server.connect()
    witness.request("/slow/async")
    server.wait_for("view entered")
    opted_out.leave()
    witness.leave()
    # Once the witness is gone, the server has told of the departure before it, too.
    server.wait_for("app teardown slow_async")
    assert server.client.get("/ping").text == "pong"
    assert [event for event in server.events() if "opted" in event] == ["opted-out view entered"]
    server.client.post("/release")
    server.wait_for("app teardown opted_out")
    assert [event for event in server.events() if "opted" in event] == [
        "opted-out view entered",
        "opted-out view done: open /slow/opted-out",
        "teardown opted_out",
        "app teardown opted_out",
    ]
