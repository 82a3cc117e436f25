"""The lines of requests."""

import asyncio
import logging
import time
from typing import Any

import pytest

from flasync.serving.access_log import AccessLog, build_line, get_console

NOON = time.strptime("2026-11-21 12:00:00", "%Y-%m-%d %H:%M:%S")
SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "http_version": "1.1",
    "client": ("127.0.0.1", 5),
}


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({}, "/"),
        ({"raw_path": b"/a%20b", "query_string": b"c=d"}, "/a%20b?c=d"),
        ({"raw_path": None, "path": "/\u00e9"}, "/%C3%A9"),
        ({"raw_path": b"/\x1b[2J\\\n"}, r"/\x1b[2J\\\x0a"),
    ],
)
def test_line_shows_the_target_as_sent(changes: dict[str, Any], target: str) -> None:
    """The target is that of the wire, and cannot move the terminal's cursor."""
    line = build_line({**SCOPE, **changes}, 200, NOON)
    assert line == f'127.0.0.1 - - [21/Nov/2026 12:00:00] "GET {target} HTTP/1.1" 200 -'


def test_line_without_a_client() -> None:
    """A server that knows no client leaves a dash."""
    assert build_line({**SCOPE, "client": None}, 404, NOON).startswith("- - - [")


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, None), (204, None), (302, 32), (304, 36), (404, 33), (403, 31), (503, 35)],
)
def test_colours_are_werkzeugs(
    monkeypatch: pytest.MonkeyPatch, status: int, code: int | None
) -> None:
    """On a terminal, the request has the colour that Werkzeug gives to its status."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    line = build_line(SCOPE, status, NOON)
    assert (f"\x1b[{code}m" in line) if code else ("\x1b[3" not in line)


def test_response_is_logged_when_it_begins(caplog: pytest.LogCaptureFixture) -> None:
    """The line is there before the body is sent, once a response; other scopes have none."""
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 201, "headers": []})
            events.append(f"{len(caplog.records)} lines at the start")
            await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        events.append(message["type"])

    async def main() -> None:
        with caplog.at_level(logging.INFO, "werkzeug"):
            for scope in (SCOPE, {"type": "lifespan"}):
                await AccessLog(app)(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(main())
    assert events == ["http.response.start", "1 lines at the start", "http.response.body"]
    assert '"GET / HTTP/1.1" 201 -' in caplog.text


def test_configured_logging_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level that an app has set on the logger `werkzeug` silences the lines."""
    logger = logging.getLogger("werkzeug")
    monkeypatch.setattr(logger, "level", logging.ERROR)
    assert get_console() is logger
    assert logger.level == logging.ERROR
