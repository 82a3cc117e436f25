"""Running the app on Granian."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server as EmbeddedServer

from flasync.errors import AddressError, AppStartError
from flasync.serving import worker
from flasync.serving.settings import ServerSettings
from flasync.serving.sockets import get_port


def find_http2_obstacle() -> str | None:
    """Return None: Granian speaks HTTP/2 on every connection whose client asks for it."""
    return None


def find_context_obstacle() -> str | None:
    """Return why Granian cannot take an `ssl.SSLContext`."""
    return "Granian's TLS is not Python's: pass (certificate file, key file)"


def run(settings: ServerSettings, sock: socket.socket) -> None:
    """Serve `worker.TARGET` until a signal ends the server.

    Raises:
        AppStartError: A worker process ended by itself.
        AddressError: The port was taken since `sock` was bound to it.
    """
    options = _build_options(settings, get_port(sock))
    sock.close()  # Granian takes no socket, it binds by itself.
    if settings.development:
        asyncio.run(_serve_embedded(options))
        return
    timeout = settings.graceful_timeout_s
    server = Granian(
        worker.TARGET,
        factory=True,
        workers=settings.workers,
        workers_kill_timeout=None if timeout is None else max(1, math.ceil(timeout)),
        **options,
    )
    _run_to_its_end(server, options)


def _run_to_its_end(server: Any, options: dict[str, Any]) -> None:
    try:
        server.serve()
    except SystemExit as error:
        # Workers that get a terminal's Ctrl+C before the parent does count as failed too.
        if not server.interrupt_signal:
            raise AppStartError(
                "Granian has ended although no signal told it to: a worker did not start, or"
                " failed. Its log above says why; correct that, and start it again"
            ) from error
    except RuntimeError as error:  # Granian's error for an address that has just been taken.
        reason = str(error).partition("\n")[0]
        raise AddressError(
            f"Granian cannot listen on {options['address']!r}, port {options['port']}: {reason}."
            " Choose another port: --port"
        ) from error


async def _serve_embedded(options: dict[str, Any]) -> None:
    """Serve the app of this process; Granian's own workers are processes."""
    server = EmbeddedServer(worker.load(), **options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


def _build_options(settings: ServerSettings, port: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "address": settings.host,
        "port": port,
        "interface": Interfaces.ASGI,
        # The embedded server warns at every start that it is experimental.
        "log_level": LogLevels.error if settings.development else LogLevels.info,
    }
    if isinstance(settings.certificate, tuple):
        options |= {
            "ssl_cert": Path(settings.certificate[0]),
            "ssl_key": Path(settings.certificate[1]),
        }
    return options
