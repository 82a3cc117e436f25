"""The check of the moved routes: the proxy that makes a database slow, and what is asked."""

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conformance.moved_routes.questions import ASKS, Ask
from conformance.moved_routes.slow_proxy import slow_down

DELAY_MS = 300
TIMEOUT_S = 60


class Echo(socketserver.BaseRequestHandler):
    """Answers each message with itself."""

    def handle(self) -> None:
        while message := self.request.recv(65536):
            self.request.sendall(message)


class EchoServer(socketserver.ThreadingTCPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 50


@pytest.fixture
def echo_port() -> Iterator[int]:
    """The port of a server that answers at once."""
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def ask(port: int, message: bytes = b"ping") -> float:
    """Return the seconds until a message came back on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        start = time.monotonic()
        connection.sendall(message)
        answer = b""
        while len(answer) < len(message):
            answer += connection.recv(65536)
        assert answer == message
        return time.monotonic() - start


def test_answer_is_held_back(echo_port: int) -> None:
    """An answer comes no sooner than the delay, however fast the server is."""
    with slow_down("127.0.0.1", echo_port, DELAY_MS) as port:
        assert ask(port) >= DELAY_MS / 1000


def test_connections_wait_together(echo_port: int) -> None:
    """The delays of several connections overlap: it is a distance, not a bottleneck."""
    with slow_down("127.0.0.1", echo_port, DELAY_MS) as port, ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        alone = [pool.submit(ask, port) for _ in range(8)]
        waited = sum(future.result() for future in alone)
        assert waited > 3 * (time.monotonic() - start)


def test_large_messages_arrive_whole(echo_port: int) -> None:
    """What is longer than one read arrives whole and in order, both ways."""
    with slow_down("127.0.0.1", echo_port, 1) as port:
        ask(port, bytes(range(256)) * 2000)


def test_hanging_up_reaches_the_client() -> None:
    """A server that hangs up, or is not there, ends the client's connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server_port = server.getsockname()[1]
        with slow_down("127.0.0.1", server_port, 1) as port:
            with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as client:
                server.accept()[0].close()
                assert client.recv(1) == b""
            server.close()
            with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as client:
                assert client.recv(1) == b""


def test_proxy_ends_with_its_block(echo_port: int) -> None:
    """Nobody listens any more afterwards, though a connection is still open."""
    with slow_down("127.0.0.1", echo_port, 1) as port:
        client = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    with client:
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), TIMEOUT_S)


def test_ask_is_filled() -> None:
    """Names in braces become what the database has, in the path, a form, JSON and a file."""
    facts = {"isbn": "978", "token": "t"}
    assert Ask("GET", "/books/{isbn}").fill(facts) == ("/books/978", {}, b"")
    assert Ask("POST", "/", form={"isbn": "{isbn}", "n": 1}).fill(facts)[2] == b"isbn=978&n=1"
    assert Ask("POST", "/", json={"isbn": "{isbn}", "n": 1}).fill(facts)[2] == (
        b'{"isbn": "978", "n": 1}'
    )
    assert b"\r\n978,11.90\r\n" in Ask("POST", "/", upload="{isbn},11.90").fill(facts)[2]


def test_each_route_is_asked_once() -> None:
    """No route is asked twice, and who changes one row says why that overlaps less."""
    asked = [(ask.method, ask.path) for ask in ASKS]
    assert len(set(asked)) == len(asked)
    assert all(ask.note for ask in ASKS if ask.share < 0.5)
