"""The ASGI scope as a WSGI environ."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any, BinaryIO
from urllib.parse import quote, unquote_to_bytes

from flasync.wsgi.files import FileWrapper

Scope = MutableMapping[str, Any]
Environ = dict[str, Any]

# The environ key of every header name seen so far; "" means: leave the header out. Bounded, since
# the names come from the client.
_KEYS: dict[bytes, str] = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_MOST_KEYS = 1024

_DEFAULT_PORTS = {"https": "443", "wss": "443"}


def build_environ(scope: Scope, body: BinaryIO | Any, *, multithread: bool) -> Environ:
    """Return the WSGI environ of an HTTP scope.

    Args:
        scope: An ASGI HTTP scope. `scope["flasync.environ"]`, where present, is a mapping whose
            entries are laid over the result.
        body: What becomes `wsgi.input`. It ends by itself (`wsgi.input_terminated`).
        multithread: Whether other threads may run the same application at the same time.

    Returns:
        A new dict with the keys of PEP 3333, and `REQUEST_URI`, `RAW_URI` (as gunicorn and
        Werkzeug's own server give them) and `asgi.scope`. All strings are bytes decoded as
        Latin-1, which is what PEP 3333 calls native strings.

    Source: PEP 3333, "environ Variables"; ASGI HTTP spec 2.5, "HTTP Connection Scope".
    """
    script_name, path_info = _split_path(scope)
    query = scope["query_string"].decode("latin-1")
    raw_path = scope.get("raw_path")
    target = raw_path.decode("latin-1") if raw_path else quote(scope["path"])
    if query:
        target = f"{target}?{query}"
    scheme = scope.get("scheme", "http")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "asgi.scope": scope,
    }
    _add_server(environ, scope.get("server"), scheme)
    client = scope.get("client")
    if client:
        environ["REMOTE_ADDR"] = client[0] or ""
        if client[1] is not None:
            environ["REMOTE_PORT"] = str(client[1])
    _add_headers(environ, scope["headers"])
    extra = scope.get("flasync.environ")
    if extra:
        environ.update(extra)
    return environ


def _split_path(scope: Scope) -> tuple[str, str]:
    """Return SCRIPT_NAME and PATH_INFO.

    `path` includes `root_path` by the spec, but some servers leave it out: it is taken off only
    where it is there. The raw path serves when the decoded one is not plain ASCII, because a
    server has by then replaced bytes that are not UTF-8.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path") or ""
    if not path.isascii():
        raw = scope.get("raw_path")
        path = unquote_to_bytes(raw).decode("latin-1") if raw else _native(path)
    if root:
        root = _native(root).rstrip("/")
        if path == root or path.startswith(f"{root}/"):
            path = path[len(root) :]
    return root, path


def _native(text: str) -> str:
    """Return a decoded string as PEP 3333 wants it: UTF-8 bytes decoded as Latin-1."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _add_server(environ: Environ, server: Any, scheme: str) -> None:
    """Set SERVER_NAME and SERVER_PORT, which WSGI demands and ASGI may not know."""
    host, port = server or ("localhost", None)
    if port is None:  # a Unix socket, whose path is no host name
        host, port = "localhost", _DEFAULT_PORTS.get(scheme, "80")
    environ["SERVER_NAME"] = host
    environ["SERVER_PORT"] = str(port)


def _add_headers(environ: Environ, headers: Any) -> None:
    """Add the request's headers; several of one name are joined as RFC 9110, 5.3 allows.

    Cookies are joined by "; ": HTTP/2 splits them over several fields (RFC 9113, 8.2.3). A name
    with an underscore is left out: it would be taken for the one with hyphens, which a proxy in
    front may have set and checked.
    """
    for name, value in headers:
        key = _KEYS.get(name)
        if key is None:
            key = _build_key(name)
        if not key:
            continue
        text = value.decode("latin-1")
        if key in environ:
            joint = "; " if key == "HTTP_COOKIE" else ","
            text = f"{environ[key]}{joint}{text}"
        environ[key] = text


def _build_key(name: bytes) -> str:
    """Return the environ key of a header name, or "" for one to leave out."""
    lower = name.lower()
    key = _KEYS.get(lower)
    if key is None:
        key = "" if b"_" in lower else "HTTP_" + lower.decode("latin-1").upper().replace("-", "_")
    if len(_KEYS) < _MOST_KEYS:
        _KEYS[name] = key
    return key
