"""Running the app on Hypercorn."""

from __future__ import annotations

import importlib.util
import socket

from hypercorn.config import Config
from hypercorn.run import run as run_hypercorn
from hypercorn.utils import LifespanFailureError, LifespanTimeoutError

from flasync.errors import AppStartError
from flasync.serving.settings import ServerSettings
from flasync.serving.worker import TARGET


def find_http2_obstacle() -> str | None:
    """Return None: Hypercorn speaks HTTP/2 on every connection whose client asks for it."""
    return None


def find_context_obstacle() -> str | None:
    """Return why Hypercorn cannot take an `ssl.SSLContext`."""
    return "Hypercorn loads certificates from files only: pass (certificate file, key file)"


def run(settings: ServerSettings, sock: socket.socket) -> None:
    """Serve `worker.TARGET` until a signal ends the server.

    Raises:
        AppStartError: A startup hook of the app failed.
        SystemExit: With the exit code of a worker process that failed.
    """
    try:
        exit_code = run_hypercorn(_build_config(settings, sock))
    except (LifespanFailureError, LifespanTimeoutError) as error:
        raise AppStartError(
            f"The app did not start: {error}. Correct the hook that the lines above name"
        ) from error
    if exit_code:
        raise SystemExit(exit_code)


def _build_config(settings: ServerSettings, sock: socket.socket) -> Config:
    config = Config()
    config.application_path = f"asgi:{TARGET}()"  # Hypercorn evaluates what follows the module.
    config.bind = [f"fd://{sock.detach()}"]  # Hypercorn owns and closes it from here on.
    # 0 is Hypercorn's word for "in this process", which is where the app has been prepared.
    config.workers = settings.workers if settings.workers > 1 else 0
    config.worker_class = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    # Hypercorn hands the value to asyncio.wait_for, where None is no limit.
    config.graceful_timeout = settings.graceful_timeout_s  # type: ignore[assignment]
    config.loglevel = "WARNING" if settings.development else "INFO"
    if isinstance(settings.certificate, tuple):
        config.certfile, config.keyfile = settings.certificate
    return config
