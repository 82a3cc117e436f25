"""1,000 open streams: as many greenlets, not as many threads."""

from pains.servers import Served

APP = "pains.apps.streams:asgi"
STREAMS = 1000
# The default number of worker threads, and some for the server's and the loop's own.
WORKER_THREADS = 40
OTHER_THREADS = 24


def test_a_thousand_waiting_async_streams_need_no_threads(server: Served) -> None:
    """1,000 open streams in the loop lane add no thread, and each gets its end."""
    before = server.threads()
    connections = [server.connect() for _ in range(STREAMS)]
    for connection in connections:
        connection.request("/streams/async-until-finished")
    for connection in connections:
        connection.read_until(b"tick\n")
    assert server.threads() <= before + OTHER_THREADS
    assert server.client.get("/ping").text == "pong"
    assert server.client.get("/sync-ping").text == "pong"
    server.client.post("/finish")
    for connection in connections:
        connection.read_until(b"end\n")
        connection.leave()
    server.wait_for("closed", STREAMS)
    server.wait_for("teardown", STREAMS)
    assert server.counts() == {"opened": STREAMS, "closed": STREAMS, "teardown": STREAMS}


def test_a_thousand_slow_readers_of_sync_streams_share_the_threads(server: Served) -> None:
    """1,000 sync streams whose readers have stopped reading hold no thread between steps."""
    connections = [server.connect(receive_bytes=4096) for _ in range(STREAMS)]
    for connection in connections:
        connection.request("/streams/flood")
    for connection in connections:
        connection.read_until(b"....")
    assert server.threads() <= WORKER_THREADS + OTHER_THREADS
    assert server.client.get("/ping").text == "pong"
    assert server.client.get("/sync-ping").text == "pong"
    for connection in connections:
        connection.leave(reset=True)
    server.wait_for("closed", STREAMS)
    server.wait_for("teardown", STREAMS)
    assert server.counts() == {"opened": STREAMS, "closed": STREAMS, "teardown": STREAMS}
