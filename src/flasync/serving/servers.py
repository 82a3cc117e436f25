"""The servers that flasync can start, and which one it takes when none is named."""

from __future__ import annotations

import importlib
import importlib.util
import socket
import ssl
from dataclasses import dataclass
from typing import Protocol, cast

from flasync.errors import MissingExtraError, ServeOptionError
from flasync.serving.settings import ServerSettings


class Adapter(Protocol):
    """What the module `flasync.serving.<name>_server` offers; it imports its server."""

    def run(self, settings: ServerSettings, sock: socket.socket) -> None:
        """Serve `worker.TARGET` on a bound socket until a signal ends the server."""

    def find_http2_obstacle(self) -> str | None:
        """Return why the installed version has no HTTP/2; None if it has."""

    def find_context_obstacle(self) -> str | None:
        """Return why the installed version takes no `ssl.SSLContext`; None if it does."""


@dataclass(frozen=True, slots=True)
class Server:
    """One ASGI server that flasync can start."""

    name: str
    """The package's import name, which is also what `--server` takes."""
    requirement: str
    """What pip installs it by."""
    serves_in_process: bool
    """Whether a single worker runs in the process that calls `run`, on the socket given to it."""

    def is_installed(self) -> bool:
        """Return whether the server can be imported."""
        return importlib.util.find_spec(self.name) is not None

    def load(self) -> Adapter:
        """Return the module that runs the server, which must be installed."""
        return cast(Adapter, importlib.import_module(f"flasync.serving.{self.name}_server"))

    def check(self, settings: ServerSettings) -> None:
        """Refuse settings that this server cannot honour.

        Raises:
            ServeOptionError: HTTP/2 or an `ssl.SSLContext` on a server without it.
        """
        if settings.http2 and (obstacle := self.load().find_http2_obstacle()):
            raise ServeOptionError(
                f"--http2 cannot work with --server {self.name}: {obstacle}, or choose --server"
                " hypercorn or granian"
            )
        context_given = isinstance(settings.certificate, ssl.SSLContext)
        if context_given and (obstacle := self.load().find_context_obstacle()):
            raise ServeOptionError(f"An ssl.SSLContext cannot be used with {self.name}: {obstacle}")


SERVERS = {
    server.name: server
    for server in (
        Server("uvicorn", "'flasync[serve]'", serves_in_process=True),
        Server("hypercorn", "hypercorn", serves_in_process=True),
        Server("granian", "granian", serves_in_process=False),
    )
}

# Which server is taken when none is named: the first of these that is installed. uvicorn leads
# because flasync's `serve` extra brings it and the first measurements were made on it.
PREFERENCE = ("uvicorn", "hypercorn", "granian")


def choose_server(name: str | None) -> Server:
    """Return the named server, or the first of `PREFERENCE` that is installed.

    Raises:
        MissingExtraError: It is not installed, or none is.
        ServeOptionError: There is no server of that name.
    """
    if name is None:
        for preferred in PREFERENCE:
            if SERVERS[preferred].is_installed():
                return SERVERS[preferred]
        raise MissingExtraError(
            f"No ASGI server is installed (looked for {', '.join(PREFERENCE)}):"
            " pip install 'flasync[serve]'"
        )
    if name not in SERVERS:
        raise ServeOptionError(f"There is no server {name!r}. Choose one of: {', '.join(SERVERS)}")
    if not SERVERS[name].is_installed():
        raise MissingExtraError(
            f"--server {name} needs {name}: pip install {SERVERS[name].requirement}"
        )
    return SERVERS[name]
