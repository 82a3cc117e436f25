"""One line a request, in the form and on the logger that Flask's development server has."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any
from urllib.parse import quote

import click

from flasync.serving.settings import ASGIApplication, Receive, Scope, Send

# Werkzeug escapes the same range: a request must not be able to move the terminal's cursor.
_CONTROL_CHARACTERS = {code: rf"\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL_CHARACTERS[ord("\\")] = r"\\"


def get_console() -> logging.Logger:
    """Return the logger `werkzeug`, made to print to stderr unless logging is configured.

    Apps that silence or redirect Flask's request lines do it on this logger.
    """
    console = logging.getLogger("werkzeug")
    if console.level == logging.NOTSET:
        console.setLevel(logging.INFO)
    if not console.hasHandlers():
        console.addHandler(logging.StreamHandler())
    return console


class AccessLog:
    """An ASGI application around another that logs each response when it begins."""

    def __init__(self, app: ASGIApplication) -> None:
        """Log the responses of `app`."""
        self.app = app
        self.console = get_console()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def log_and_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.console.info("%s", build_line(scope, message["status"], time.localtime()))
            await send(message)

        await self.app(scope, receive, log_and_send)


def build_line(scope: Scope, status: int, now: time.struct_time) -> str:
    """Return the line of one request, such as `127.0.0.1 - - [21/Nov/2026 03:00:00] "GET …`."""
    client = scope.get("client")
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    target = (path + (b"?" + query if query else b"")).decode("latin-1")
    request = f"{scope['method']} {target} HTTP/{scope['http_version']}"
    styles = _STYLES.get(status) or _STYLES.get(status // 100, {})
    request = style(request.translate(_CONTROL_CHARACTERS), **styles)
    moment = time.strftime("%d/%b/%Y %H:%M:%S", now)
    return f'{client[0] if client else "-"} - - [{moment}] "{request}" {status} -'


# Werkzeug's colours: by status, else by its first digit.
_STYLES: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {},
    3: {"fg": "green"},
    4: {"fg": "red", "bold": True},
    5: {"fg": "magenta", "bold": True},
    304: {"fg": "cyan"},
    404: {"fg": "yellow"},
}


def style(text: str, **styles: Any) -> str:
    """Return `text` in the styles of `click.style` if stderr is a terminal, else as it is."""
    if sys.stderr is None or not sys.stderr.isatty():
        return text
    return click.style(text, **styles)
