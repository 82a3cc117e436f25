"""Binding the server's address."""

import socket

import pytest

from flasync.errors import AddressError, ServeOptionError
from flasync.serving.sockets import (
    bind_socket,
    get_port,
    list_urls,
    pass_to_children,
    take_from_parent,
)

LOOPBACK = "127.0.0.1"


def test_any_free_port() -> None:
    """Port 0 gives a free port, on which nothing is accepted before the app has started."""
    with bind_socket(LOOPBACK, 0) as sock, socket.socket() as client:
        assert get_port(sock) > 0
        assert client.connect_ex((LOOPBACK, get_port(sock))) != 0


def test_ipv6() -> None:
    """A host with a colon is an IPv6 address."""
    with bind_socket("::1", 0) as sock:
        assert sock.family == socket.AF_INET6


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 0, "Cannot listen on '192.0.2.1'"),
        ("no such host", 0, "Cannot listen on 'no such host'"),
        (LOOPBACK, 70000, "Cannot listen on '127.0.0.1', port 70000"),
    ],
)
def test_address_that_cannot_be_bound(host: str, port: int, words: str) -> None:
    """What cannot be bound is one error that names host and port."""
    with pytest.raises(AddressError, match=words):
        bind_socket(host, port)


def test_unix_socket_is_refused() -> None:
    """A Unix socket is refused with the command that serves on one."""
    with pytest.raises(ServeOptionError, match="--uds"):
        bind_socket("unix:///tmp/app.sock", 0)


def test_children_take_over_the_listening_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that is passed on listens, and is the same for the child."""
    monkeypatch.setenv("WERKZEUG_SERVER_FD", "")
    with bind_socket(LOOPBACK, 0) as sock:
        address = sock.getsockname()
        pass_to_children(sock, as_socket=True)
        taken = take_from_parent(LOOPBACK)
        assert taken.getsockname() == address
        assert taken.detach() == sock.fileno()
        socket.create_connection(address).close()


def test_children_bind_the_same_port_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a socket cannot be passed on, the port is, also one that the system has chosen."""
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    monkeypatch.setenv("FLASYNC_SERVE_PORT", "")
    sock = bind_socket(LOOPBACK, 0)
    port = get_port(sock)
    pass_to_children(sock, as_socket=False)
    with take_from_parent(LOOPBACK) as taken:
        assert get_port(taken) == port


@pytest.mark.parametrize(
    ("host", "urls"),
    [
        ("127.0.0.1", ["http://127.0.0.1:80"]),
        ("localhost", ["http://localhost:80"]),
        ("::1", ["http://[::1]:80"]),
        ("0.0.0.0", ["http://127.0.0.1:80", "http://0.0.0.0:80"]),
        ("::", ["http://[::1]:80", "http://[::]:80"]),
    ],
)
def test_urls_can_be_opened(host: str, urls: list[str]) -> None:
    """The first URL works in a browser on the same machine, whatever the host means."""
    assert list_urls("http", host, 80) == urls
