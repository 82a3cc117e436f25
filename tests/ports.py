"""A TCP port for a server that a test starts, which nobody else gets meanwhile."""

import socket

LOOPBACK = "127.0.0.1"


def reserve_port() -> int:
    """A loopback port on which a server can listen during the next minute.

    A connection to it has just been closed from this end, so it is in the state TIME_WAIT: the
    system gives it neither to a socket that asks for any port nor to an outgoing connection. A
    server may bind it all the same, as each one sets SO_REUSEADDR to be able to start again.
    """
    with (
        socket.create_server((LOOPBACK, 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        listener.accept()[0].close()
        assert client.recv(1) == b""
        return int(listener.getsockname()[1])
