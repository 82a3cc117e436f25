"""The server's socket: bound before anything else, so that a taken port is one clear line.

It listens only once the app has been imported: a port that accepts connections says that the app
is there, or about to be.
"""

from __future__ import annotations

import errno
import os
import socket

from flasync.errors import AddressError, ServeOptionError

# As uvicorn's default; the kernel cuts it to net.core.somaxconn.
_BACKLOG = 2048

# The variable by which Werkzeug's reloader hands its socket to the next process.
_FD_VARIABLE = "WERKZEUG_SERVER_FD"

# The same for a server that binds by itself: the port, which the user may have left to the system.
_PORT_VARIABLE = "FLASYNC_SERVE_PORT"


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a bound TCP socket; the caller closes it, or hands it to a server.

    Args:
        host: A name or an address; one with a colon is taken as IPv6, as Werkzeug does.
        port: 0 for any free port.

    Raises:
        AddressError: The address is taken, forbidden, or not of this machine.
        ServeOptionError: The host is a Unix socket.
    """
    if host.startswith("unix:"):
        raise ServeOptionError(
            f"flasync serves on TCP ports and not on {host!r}. For a Unix socket call the server"
            " itself, for example: uvicorn --uds /run/app.sock app:app"
        )
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # A port whose last connections linger in TIME_WAIT is free.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise _build_error(host, port, error) from error
    return sock


def listen(sock: socket.socket) -> None:
    """Let clients connect; they wait until the server answers them.

    Two programs that start at the same time can both bind a port. Only one of them can listen,
    and not every server survives it when the other does: uvicorn on uvloop hangs.

    Raises:
        AddressError: Another program has begun to listen since `sock` was bound.
    """
    try:
        sock.listen(_BACKLOG)
    except OSError as error:
        host, port = sock.getsockname()[:2]
        raise _build_error(host, port, error) from error


def _build_error(host: str, port: int, error: OSError | OverflowError) -> AddressError:
    """Return the error that says why `host` and `port` cannot be listened on."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return AddressError(
            f"Port {port} of {host!r} is in use by another program. Stop that program, or choose"
            f" another port: --port {port + 1}"
        )
    if number == errno.EACCES:
        return AddressError(
            f"Port {port} of {host!r} needs rights that this user lacks: {error}. Choose a port"
            " above 1023: --port 8000"
        )
    return AddressError(
        f"Cannot listen on {host!r}, port {port}: {error}. Choose another --host or --port"
    )


def get_port(sock: socket.socket) -> int:
    """Return the port that `sock` is bound to."""
    return int(sock.getsockname()[1])


def pass_to_children(sock: socket.socket, *, as_socket: bool) -> None:
    """Let the processes that the reloader starts take over the address of `sock`.

    Args:
        sock: A bound socket.
        as_socket: Whether the children can use the socket itself. It then listens at once and
            stays open over reloads, so that no connection is refused meanwhile. Otherwise it is
            closed, and each child binds the same port again.
    """
    if as_socket:
        listen(sock)
        sock.set_inheritable(True)
        os.environ[_FD_VARIABLE] = str(sock.fileno())
    else:
        os.environ[_PORT_VARIABLE] = str(get_port(sock))
        sock.close()


def take_from_parent(host: str) -> socket.socket:
    """Return the socket that the parent process has left with `pass_to_children`."""
    if _FD_VARIABLE in os.environ:
        return socket.socket(fileno=int(os.environ[_FD_VARIABLE]))
    return bind_socket(host, int(os.environ[_PORT_VARIABLE]))


def list_urls(scheme: str, host: str, port: int) -> list[str]:
    """Return where what listens on `host` is reached from this machine, the best URL first."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host)  # noqa: S104 (asked for, not chosen)
    hosts = [own, host] if own else [host]
    return [f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}" for name in hosts]
