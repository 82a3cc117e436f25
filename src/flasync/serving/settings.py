"""What is to be served, where and how: the values that every server adapter reads."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from flasync.errors import ServeOptionError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

# Where `flask run` serves too.
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000

# The environment variable that carries the `Target` from `flasync serve` to its workers.
TARGET_VARIABLE = "FLASYNC_SERVE_TARGET"


@dataclass(frozen=True, slots=True)
class Target:
    """The app that worker processes load: what `worker.load` needs to know."""

    import_path: str | None
    """`module:name` as `--app` takes it; None: `wsgi.py` or `app.py` in the current directory."""
    access_log: bool = False
    """Whether each request is logged in one line."""

    def publish(self) -> None:
        """Put the target into this process's environment, which worker processes inherit."""
        os.environ[TARGET_VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environ(cls) -> Target:
        """Return the target that the parent process has published.

        Raises:
            ServeOptionError: This process was not started by `flasync serve`.
        """
        try:
            return cls(**json.loads(os.environ[TARGET_VARIABLE]))
        except KeyError:
            raise ServeOptionError(
                f"{TARGET_VARIABLE!r} is not set: flasync.serving.worker is loaded only by the"
                " workers of `flasync serve`. To start a server by hand, name your own app:"
                " uvicorn app:app"
            ) from None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How one server process, or one parent of several, is to be run."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    """0: any free port."""
    workers: int = 1
    """Number of worker processes, at least 1."""
    http2: bool = False
    """Whether HTTP/2 is demanded; a server that has it by default offers it anyway."""
    certificate: tuple[str, str] | ssl.SSLContext | None = None
    """Paths of the certificate and of its key, or a context; None: no TLS."""
    graceful_timeout_s: float | None = None
    """Seconds that running requests get at a stop; None: no limit."""
    development: bool = False
    """Whether the app is already prepared in this very process and must not leave it."""

    @property
    def scheme(self) -> str:
        """The URL scheme under which the app is reached."""
        return "https" if self.certificate else "http"

    def with_timeout(self, graceful_timeout_s: float | None) -> ServerSettings:
        """Return the same settings with another `graceful_timeout_s`."""
        return replace(self, graceful_timeout_s=graceful_timeout_s)
