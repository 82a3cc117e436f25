"""Running the app on Granian."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server as EmbeddedServer

from flasync.errors import AddressError, AppStartError
from flasync.serving import worker
from flasync.serving.settings import ServerSettings
from flasync.serving.sockets import get_port
from flasync.serving.stop_witness import STOP_SIGNALS


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
        _serve_in_fork(options)
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


def _serve_in_fork(options: dict[str, Any]) -> None:
    """Serve the app of this process in a fork of it, and wait for that to end.

    Granian's threads are Rust's. Before Python 3.14 one that asks for the interpreter while that
    is shutting down aborts the process; a fork can end without shutting it down.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal that comes before there is somebody to pass it on to waits until there is.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _serve_and_exit(options)

    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(child, signal.SIGTERM)

    previous = {number: signal.signal(number, pass_on) for number in STOP_SIGNALS}
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if os.waitstatus_to_exitcode(status) != 0:
        raise AppStartError(
            "Granian has ended although no signal told it to: the app did not start, or failed."
            " Its log above says why; correct that, and start it again"
        )


def _serve_and_exit(options: dict[str, Any]) -> NoReturn:
    exit_code = 1
    try:
        asyncio.run(_serve_embedded(options))
        exit_code = 0
    except SystemExit as error:  # A failed start, or a SIGTERM before the loop took it over.
        exit_code = int(error.code or 0)
    except BaseException:  # The process ends here whatever it is, and this is its last word.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


async def _serve_embedded(options: dict[str, Any]) -> None:
    """Serve the app of this process; to Granian's own workers it could not be passed."""
    server = EmbeddedServer(worker.load(), **options)
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, server.stop)
    await server.serve()
    if server.interrupt_children:  # Granian's word for a failed start; `serve` only logs it.
        raise SystemExit(1)


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
