"""Running the app on uvicorn."""

from __future__ import annotations

import importlib.util
import inspect
import math
import socket
import ssl
from typing import Any

import uvicorn

from flasync.serving.settings import ServerSettings
from flasync.serving.sockets import get_port
from flasync.serving.worker import TARGET


def find_http2_obstacle() -> str | None:
    """Return why the installed uvicorn cannot speak HTTP/2, or None if it can."""
    if "http2" in _list_options() and importlib.util.find_spec("zttp"):
        return None
    return "uvicorn speaks HTTP/2 only in recent versions with zttp: pip install -U uvicorn zttp"


def find_context_obstacle() -> str | None:
    """Return why the installed uvicorn cannot take an `ssl.SSLContext`, or None if it can."""
    if "ssl_context_factory" in _list_options():
        return None
    return "this uvicorn takes no ssl.SSLContext: pip install -U uvicorn"


def _list_options() -> set[str]:
    return set(inspect.signature(uvicorn.Config.__init__).parameters)


def run(settings: ServerSettings, sock: socket.socket) -> None:
    """Serve `worker.TARGET` until a signal ends the server.

    Raises:
        SystemExit: With code 3, when a startup hook of the app failed.
    """
    options = _build_options(settings)
    if settings.workers > 1:
        # Only `uvicorn.run` starts workers by a stable interface; it binds the port by itself.
        port = get_port(sock)
        sock.close()
        uvicorn.run(TARGET, host=settings.host, port=port, workers=settings.workers, **options)
        return
    _run_in_process(uvicorn.Server(uvicorn.Config(TARGET, workers=1, **options)), sock)


def _run_in_process(server: uvicorn.Server, sock: socket.socket) -> None:
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        # After a graceful stop uvicorn raises the signal again, for handlers that were there
        # before. `uvicorn.run` ends here too.
        pass


def _build_options(settings: ServerSettings) -> dict[str, Any]:
    timeout = settings.graceful_timeout_s
    options: dict[str, Any] = {
        "factory": True,
        "interface": "asgi3",
        "lifespan": "on",
        "access_log": False,  # AccessLog does it, alike on every server.
        # What a proxy may say is the app's decision, taken with Werkzeug's ProxyFix.
        "proxy_headers": False,
        "log_level": "warning" if settings.development else "info",
        "timeout_graceful_shutdown": None if timeout is None else math.ceil(timeout),
    }
    if settings.http2:
        options |= {"http": "zttp", "http2": True}
    certificate = settings.certificate
    if isinstance(certificate, ssl.SSLContext):
        options["ssl_context_factory"] = lambda *_: certificate
    elif certificate:
        options |= {"ssl_certfile": certificate[0], "ssl_keyfile": certificate[1]}
    return options
