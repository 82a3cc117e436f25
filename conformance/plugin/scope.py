"""A client's WSGI environ as the ASGI scope and messages that a server would have made of it."""

from __future__ import annotations

import math
import urllib.parse
from collections.abc import Iterator
from typing import Any

CHUNK_BYTES = 65536
"""How much of the client's input stream one `http.request` message carries at most."""

# What an ASGI scope and its messages carry; the rest of an environ goes beside them.
CARRIED = {
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_URI",
    "RAW_URI",
    "SERVER_PROTOCOL",
    "SERVER_NAME",
    "SERVER_PORT",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "wsgi.version",
    "wsgi.url_scheme",
    "wsgi.input",
    "wsgi.input_terminated",
    "wsgi.multithread",
    "wsgi.multiprocess",
    "wsgi.run_once",
}


def build_scope(environ: dict[str, Any], lane: str | None) -> dict[str, Any]:
    """The ASGI scope of a WSGI environ, as a server would have made it from the same request."""
    headers: list[tuple[bytes, bytes]] = []
    beside: dict[str, Any] = {}
    for key, value in environ.items():
        name = parse_header_name(key)
        if name is not None and is_latin1(value):
            if value or key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                headers.append((name, value.encode("latin-1")))
        elif key not in CARRIED:
            beside[key] = value
    root = environ.get("SCRIPT_NAME", "").encode("latin-1")
    path = root + environ.get("PATH_INFO", "").encode("latin-1")
    raw_path = environ.get("REQUEST_URI", "").partition("?")[0].encode("latin-1")
    if urllib.parse.unquote_to_bytes(raw_path) != path:
        raw_path = urllib.parse.quote_from_bytes(path).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "root_path": root.decode("utf-8", "replace"),
        "path": path.decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "headers": headers,
        "client": parse_address(environ.get("REMOTE_ADDR"), environ.get("REMOTE_PORT")),
        "server": parse_address(environ.get("SERVER_NAME"), environ.get("SERVER_PORT")),
        "flasync.environ": beside,
    }
    if lane is not None:
        scope["flasync.lane"] = lane
    return scope


def parse_header_name(key: str) -> bytes | None:
    """The ASGI name of the header that an environ key stands for, or None."""
    if key != key.upper() or "-" in key:
        return None  # No header has this key, so a test has put it there by hand.
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.lower().replace("_", "-").encode()
    if key.startswith("HTTP_"):
        return key[5:].lower().replace("_", "-").encode("latin-1")
    return None


def is_latin1(value: object) -> bool:
    """Whether a header value is one that a server could have received."""
    return isinstance(value, str) and max(map(ord, value), default=0) < 256


def parse_address(host: str | None, port: str | None) -> tuple[str, int] | None:
    """The (host, port) of a scope, or None."""
    return None if host is None else (host, int(port or 0))


def read_body(environ: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The messages of the body, read from the client's stream one by one.

    A body without a length is no body, unless the client says that its stream ends. After a body
    that is shorter than its length comes the disconnect.
    """
    stream = environ["wsgi.input"]
    left = parse_length(environ)
    offset = stream.tell() if left and is_seekable(stream) else None
    while left > 0:
        chunk = read_at(stream, offset, min(CHUNK_BYTES, left))
        offset = None if offset is None else offset + len(chunk)
        if not chunk:
            break
        left -= len(chunk)
        yield {"type": "http.request", "body": chunk, "more_body": left > 0}
        if left == 0:
            return
    if left in (0, math.inf):
        yield {"type": "http.request", "body": b"", "more_body": False}
    else:
        yield {"type": "http.disconnect"}


def is_seekable(stream: Any) -> bool:
    """Whether the stream's position can be set; not every test's stream has the method to ask."""
    return hasattr(stream, "seekable") and stream.seekable()


def read_at(stream: Any, offset: int | None, size: float) -> bytes:
    """Read at an offset and leave the stream's position alone, or read on where that is None.

    The client follows a redirect with the same stream. An application that has not read it under
    WSGI finds it whole again; under ASGI the server may have read it ahead.
    """
    if offset is None:
        return stream.read(size)
    position = stream.tell()
    stream.seek(offset)
    try:
        return stream.read(size)
    finally:
        stream.seek(position)


def parse_length(environ: dict[str, Any]) -> float:
    """How many bytes of the client's stream are the body."""
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal():
        return int(length)
    return math.inf if environ.get("wsgi.input_terminated") else 0
