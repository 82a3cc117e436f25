"""All worker threads are asleep: what lives on the loop still answers."""

import pytest

from pains.servers import Served

APP = "pains.apps.asleep:asgi"
WORKER_THREADS = 2


@pytest.mark.parametrize("queued", [0, 20])
def test_the_loop_answers_while_all_threads_sleep(server: Served, queued: int) -> None:
    """Async routes and an `@on_loop` health route answer beside blocked and queued requests."""
    server.client.post("/fall-asleep")
    connections = [server.connect() for _ in range(WORKER_THREADS + queued)]
    for connection in connections:
        connection.request("/block")
    server.wait_for("asleep", WORKER_THREADS)
    for _ in range(20):
        assert server.client.get("/async").text == "async answers"
        assert server.client.get("/health").text == "healthy"
    assert server.counts() == {"asleep": WORKER_THREADS}
    server.client.post("/wake-up")
    for connection in connections:
        answer = connection.read_answer()
        assert (answer.status, answer.body) == (200, b"awake")
        connection.leave()


def test_the_loop_answers_a_health_check_head(server: Served) -> None:
    """A HEAD of the health route takes the loop as its GET does."""
    server.client.post("/fall-asleep")
    connections = [server.connect() for _ in range(WORKER_THREADS)]
    for connection in connections:
        connection.request("/block")
    server.wait_for("asleep", WORKER_THREADS)
    assert server.client.head("/health").status_code == 200
    server.client.post("/wake-up")
    for connection in connections:
        connection.read_answer()
        connection.leave()


def test_requests_given_up_in_the_queue_do_not_run(server: Served) -> None:
    """A queued request whose client leaves never blocks the threads behind it."""
    server.client.post("/fall-asleep")
    connections = [server.connect() for _ in range(WORKER_THREADS + 20)]
    for connection in connections[:WORKER_THREADS]:
        connection.request("/block")
    server.wait_for("asleep", WORKER_THREADS)
    for connection in connections[WORKER_THREADS:]:
        connection.request("/block")
    assert server.client.get("/health").text == "healthy"
    for connection in connections[WORKER_THREADS:]:
        connection.leave(reset=True)
    assert server.client.get("/health").text == "healthy"
    server.client.post("/wake-up")
    for connection in connections[:WORKER_THREADS]:
        assert connection.read_answer().status == 200
        connection.leave()
    with server.connect() as connection:
        connection.request("/block")
        assert connection.read_answer().status == 200
