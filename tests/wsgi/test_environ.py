"""`flasync.wsgi.environ`: the environ that WSGI servers build of the same bytes on the wire."""

import io
import socket
import sys
from typing import Any
from unittest import mock
from wsgiref.validate import validator

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request as GunicornRequest
from gunicorn.http.unreader import IterUnreader
from gunicorn.http.wsgi import create as create_gunicorn_environ
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler

from flasync.wsgi.body import BodyReader
from flasync.wsgi.environ import build_environ

Headers = list[tuple[bytes, bytes]]


def build_scope(
    target: bytes = b"/", method: str = "GET", headers: Headers | None = None, **entries: Any
) -> dict[str, Any]:
    """The scope that a server makes of a request's bytes, as uvicorn does."""
    from urllib.parse import unquote  # noqa: PLC0415  what uvicorn calls, beside its use

    raw_path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": headers or [],
        "client": ("192.0.2.1", 4711),
        "server": ("192.0.2.2", 8000),
        **entries,
    }


def build(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """The environ of a request."""
    return build_environ(build_scope(*args, **kwargs), io.BytesIO(), multithread=True)


def build_wire(target: bytes, method: str, headers: Headers) -> bytes:
    """The bytes of a request on the wire."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target)]
    lines += [b"%s: %s" % header for header in headers]
    return b"\r\n".join([*lines, b"", b""])


def build_by_gunicorn(target: bytes, method: str, headers: Headers) -> dict[str, Any]:
    """The environ that gunicorn builds of a request on the wire."""
    config = Config()
    wire = IterUnreader(iter([build_wire(target, method, headers)]))
    request = GunicornRequest(config, wire, ("192.0.2.1", 4711))
    _, environ = create_gunicorn_environ(
        request, mock.Mock(spec=socket.socket), ("192.0.2.1", 4711), ("192.0.2.2", 8000), config
    )
    return dict(environ)


def build_by_werkzeug(target: bytes, method: str, headers: Headers) -> dict[str, Any]:
    """The environ that Werkzeug's server builds of a request on the wire."""
    handler = WSGIRequestHandler.__new__(WSGIRequestHandler)
    handler.rfile = io.BytesIO(build_wire(target, method, headers))
    handler.wfile = io.BytesIO()
    handler.client_address = ("192.0.2.1", 4711)
    handler.server = mock.Mock(spec=BaseWSGIServer, server_address=("192.0.2.2", 8000))
    handler.server.ssl_context = None
    handler.server.multithread = handler.server.multiprocess = True
    handler.connection = mock.Mock(spec=socket.socket)
    handler.raw_requestline = handler.rfile.readline()
    assert handler.parse_request()
    return dict(handler.make_environ())


# What the two are the reference for. The rest is about the server itself (its own name, its own
# objects, which of the two forms of a URL it hands on).
SETTLED = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "RAW_URI")


def pick(environ: dict[str, Any]) -> dict[str, Any]:
    """The entries of an environ that the client's bytes settle."""
    return {
        key: value
        for key, value in environ.items()
        if key in SETTLED or key.startswith(("HTTP_", "CONTENT_"))
    }


REQUESTS: dict[str, tuple[bytes, str, Headers]] = {
    "plain": (b"/", "GET", []),
    "query": (b"/a/b?x=1&y=%20+&z", "GET", []),
    "quoted path": (b"/a%20b/%25/%2F/c%3Fd", "GET", []),
    "utf-8 path": ("/größe/日本".encode().replace("ö".encode(), b"%C3%B6"), "GET", []),
    "quoted utf-8 path": (b"/gr%C3%B6%C3%9Fe", "GET", []),
    "bytes that are no utf-8": (b"/%FF%FE/%E4", "GET", []),
    "head": (b"/", "HEAD", []),
    "own method": (b"/", "PROPFIND", []),
    "headers": (
        b"/",
        "POST",
        [(b"Host", b"h:81"), (b"Content-Type", b"a/b"), (b"Content-Length", b"0"), (b"X-Y", b"z")],
    ),
    "latin-1 header": (b"/", "GET", [(b"X-Name", "größe".encode("latin-1"))]),
    "repeated header": (b"/", "GET", [(b"Accept", b"a/b"), (b"Accept", b"c/d")]),
    "empty header": (b"/", "GET", [(b"X-Empty", b"")]),
}
UNQUOTED = {"utf-8 path"}


def build_ours(target: bytes, method: str, headers: Headers) -> dict[str, Any]:
    """Our environ of a request, whose header names a server has lower-cased by then."""
    return build(target, method, [(name.lower(), value) for name, value in headers])


@pytest.mark.parametrize("name", REQUESTS.keys() - UNQUOTED)
def test_equals_gunicorn(name: str) -> None:
    """The client's bytes become what gunicorn makes of them."""
    theirs = pick(build_by_gunicorn(*REQUESTS[name]))
    ours = pick(build_ours(*REQUESTS[name]))
    assert ours == theirs


@pytest.mark.parametrize("name", REQUESTS.keys() - UNQUOTED - {"bytes that are no utf-8"})
def test_equals_werkzeug(name: str) -> None:
    """The client's bytes become what Werkzeug's own server makes of them."""
    theirs = pick(build_by_werkzeug(*REQUESTS[name]))
    ours = pick(build_ours(*REQUESTS[name]))
    # Werkzeug names these two even where the client sent none of them.
    theirs = {key: value for key, value in theirs.items() if value or key in ours}
    assert ours == theirs


def test_unquoted_utf8_path() -> None:
    """Bytes beyond ASCII that a client did not quote are native strings too."""
    scope = build_scope(path="/größe", raw_path="/größe".encode())
    environ = build_environ(scope, io.BytesIO(), multithread=True)
    assert environ["PATH_INFO"].encode("latin-1") == "/größe".encode()


def test_cookies_of_several_fields_are_joined() -> None:
    """HTTP/2 splits cookies over several fields: one cookie header comes out of them."""
    environ = build(headers=[(b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")])
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_underscore_in_a_name_is_left_out() -> None:
    """A name with an underscore cannot pose as the one with hyphens that a proxy has checked."""
    environ = build(headers=[(b"x_forwarded_for", b"evil"), (b"x-forwarded-for", b"good")])
    assert environ["HTTP_X_FORWARDED_FOR"] == "good"
    assert "evil" not in environ.values()


def test_content_headers_have_no_prefix() -> None:
    """Content-Type and Content-Length have the names that CGI gave them."""
    environ = build(headers=[(b"content-type", b"a/b"), (b"content-length", b"3")])
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("a/b", "3")
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & environ.keys()


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/", "", ("", "/")),
        ("/x", "", ("", "/x")),
        ("/api/x", "/api", ("/api", "/x")),
        ("/api", "/api", ("/api", "")),
        ("/api/", "/api", ("/api", "/")),
        ("/api/x", "/api/", ("/api", "/x")),
        ("/x", "/api", ("/api", "/x")),  # a server that leaves the root out of the path
        ("/apix", "/api", ("/api", "/apix")),  # no prefix, only the same letters
        ("/x", "/", ("", "/x")),
        ("/x", None, ("", "/x")),
    ],
)
def test_root_path(path: str, root_path: str | None, expected: tuple[str, str]) -> None:
    """The root becomes SCRIPT_NAME, whether a server's path includes it or not."""
    environ = build(path=path, raw_path=path.encode(), root_path=root_path)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == expected


def test_root_path_beyond_ascii() -> None:
    """A root beyond ASCII is taken off a path beyond ASCII."""
    environ = build(path="/wurzel-ö/ü", raw_path=b"/wurzel-%C3%B6/%C3%BC", root_path="/wurzel-ö")
    assert environ["SCRIPT_NAME"] == "/wurzel-ö".encode().decode("latin-1")
    assert environ["PATH_INFO"] == "/ü".encode().decode("latin-1")


def test_root_path_beyond_ascii_with_plain_path() -> None:
    """A root beyond ASCII is a native string also where the path does not contain it."""
    environ = build(path="/x", raw_path=b"/x", root_path="/wurzel-ö")
    assert environ["SCRIPT_NAME"] == "/wurzel-ö".encode().decode("latin-1")


def test_scope_without_optional_entries() -> None:
    """A scope may lack raw_path, client, server, scheme, root_path and http_version."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/ä b",
        "query_string": b"q=1",
        "headers": [],
    }
    environ = build_environ(scope, io.BytesIO(), multithread=False)
    assert environ["PATH_INFO"] == "/ä b".encode().decode("latin-1")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
    assert "REMOTE_ADDR" not in environ
    assert environ["wsgi.multithread"] is False


@pytest.mark.parametrize(("scheme", "port"), [("http", "80"), ("https", "443")])
def test_unix_socket(scheme: str, port: str) -> None:
    """A server on a Unix socket has no host and no port: the scheme's own stand in."""
    environ = build(server=("/run/app.sock", None), client=None, scheme=scheme)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", port)


def test_client_without_port() -> None:
    """A client's address without a port is an address all the same."""
    environ = build(client=("192.0.2.9", None))
    assert environ["REMOTE_ADDR"] == "192.0.2.9"
    assert "REMOTE_PORT" not in environ


@pytest.mark.parametrize("version", ["1.0", "1.1", "2", "3"])
def test_protocol(version: str) -> None:
    """The protocol is named as CGI does."""
    assert build(http_version=version)["SERVER_PROTOCOL"] == f"HTTP/{version}"


def test_query_beyond_ascii() -> None:
    """Query bytes beyond ASCII come through one by one."""
    assert build(b"/", query_string=b"q=\xc3\xa4\xff")["QUERY_STRING"] == "q=\xc3\xa4\xff"


def test_flasync_environ_is_laid_over() -> None:
    """What a caller in the same process puts into the scope wins."""
    environ = build(**{"flasync.environ": {"REMOTE_USER": "u", "PATH_INFO": "/other"}})
    assert (environ["REMOTE_USER"], environ["PATH_INFO"]) == ("u", "/other")


def test_scope_is_at_hand() -> None:
    """The ASGI scope is `environ["asgi.scope"]`, the object itself."""
    scope = build_scope()
    assert build_environ(scope, io.BytesIO(), multithread=True)["asgi.scope"] is scope


def test_many_names_are_not_remembered() -> None:
    """Header names are the client's: the memory of them is bounded, the translation is not."""
    headers = [(b"x-flood-%d" % number, b"v") for number in range(3000)]
    environ = build(headers=headers)
    assert all(environ[f"HTTP_X_FLOOD_{number}"] == "v" for number in range(3000))
    from flasync.wsgi import environ as module  # noqa: PLC0415  beside the one test that looks in

    assert len(module._KEYS) <= module._MOST_KEYS


HEADER_BYTES = st.binary(max_size=8).map(lambda raw: raw.translate(None, b"\r\n\0"))


@given(
    path=st.text(max_size=8).filter(lambda text: text.isprintable()),
    query=st.binary(max_size=8),
    values=st.lists(HEADER_BYTES, max_size=3),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
)
def test_passes_wsgiref(path: str, query: bytes, values: list[bytes], method: str) -> None:
    """`wsgiref.validate` finds nothing wrong, and native strings are Latin-1 throughout."""
    scope = build_scope(b"/", method, [(b"x-%d" % n, value) for n, value in enumerate(values)])
    scope.update(path="/" + path, raw_path=None, query_string=query)
    environ = build_environ(scope, BodyReader(lambda: b""), multithread=True)
    # The validator knows the methods of 1998 and no keys beyond CGI's.
    statuses: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        statuses.append("called")
        environ["wsgi.input"].read(1)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)
        return sys.stdout.write

    result = validator(app)(environ, start_response)
    assert list(result) == [b""]
    result.close()
    assert statuses == ["called", "200 OK"]
    for key, value in environ.items():
        if isinstance(value, str):
            value.encode("latin-1")
            assert key.isascii()
