"""A real HTTP server on the loopback interface, and the shared client's module, for round trips."""

import importlib
import ipaddress
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flasync.toolkit.migration.http_clients import HttpClient

# Bodies by their paths: the declared type, and the bytes.
PAGES = {
    "/json": ("application/json", '{"name": "café", "n": [1, null]}'.encode()),
    "/utf16": ("application/json", '{"name": "café"}'.encode("utf-16")),
    "/no-json": ("application/json", b"{nope"),
    "/html": ("text/html", "<p>café</p>".encode()),
    "/html-utf8": ("text/html; charset=utf-8", "<p>café</p>".encode()),
    "/latin1": ("text/plain", "café".encode("latin-1")),
    "/xml": ("application/xml", "<p>a café, or two cafés</p>".encode()),
    "/lines": ("text/plain; charset=utf-8", b"one\ntwo\n\nthree"),
}

# Seconds that a request waits for the others: more than a busy machine needs to send them.
TOGETHER_TIMEOUT_S = 20


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked, or in the way that the path says."""

    protocol_version = "HTTP/1.1"
    server: "Upstream"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def answer(self) -> None:
        """Answer one request."""
        path = urlsplit(self.path).path  # a proxy is asked for whole addresses
        self.received = self.read_body()
        if path in PAGES:
            kind, body = PAGES[path]
            self.reply(200, body, ("Content-Type", kind))
        elif path.startswith("/status/"):
            status = int(path.removeprefix("/status/"))
            self.reply(status, b"" if status in (204, 304) else b'{"status": "told"}')
        else:
            getattr(self, f"answer_{path[1:].replace('-', '_')}")()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def answer_echo(self) -> None:
        """Tell the request, without what names the client or its version."""
        told = {name: self.headers[name] for name in self.headers if name != "User-Agent"}
        request = {
            "method": self.command,
            "path": self.path,
            "headers": {name: told[name] for name in sorted(told)},
            "body": self.received.decode("latin-1"),
        }
        self.reply(200, json.dumps(request).encode(), ("Content-Type", "application/json"))

    def answer_redirect(self) -> None:
        """Send elsewhere, with a cookie."""
        self.reply(302, b"", ("Location", "/echo"), ("Set-Cookie", "hop=1; Path=/"))

    def answer_keep(self) -> None:
        """Send elsewhere, with the same method and body."""
        self.reply(307, b"", ("Location", "/echo"))

    def answer_circle(self) -> None:
        """Send to where the client is already."""
        self.reply(302, b"", ("Location", "/circle"))

    def answer_cookies(self) -> None:
        """Set two cookies."""
        self.reply(200, b"{}", ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"))

    def answer_never(self) -> None:
        """Answer when the server ends."""
        self.server.ended.wait()
        self.close_connection = True

    def answer_part(self) -> None:
        """Answer with the first byte of eight, and the others when the server ends."""
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"1")
        self.server.ended.wait()
        self.close_connection = True

    def answer_together(self) -> None:
        """Answer when as many requests are here as are expected."""
        assert self.server.together is not None
        self.server.together.wait(TOGETHER_TIMEOUT_S)
        self.reply(200, b"{}")

    def answer_cut(self) -> None:
        """Answer with less than announced."""
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"1")
        self.close_connection = True

    def answer_hang_up(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def answer_bad_gzip(self) -> None:
        """Answer with what is not compressed, as if it were."""
        self.reply(200, b"plain", ("Content-Encoding", "gzip"))

    def reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_body(self) -> bytes:
        """Return the body of the request, however it is sent."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


class Upstream(ThreadingHTTPServer):
    """The server.

    Attributes:
        url: Its address, without a slash at the end.
        ended: Set when it ends.
        connections: How many it has accepted.
        together: Where requests wait for one another.
    """

    daemon_threads = True
    block_on_close = True
    request_queue_size = 128

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ended = threading.Event()
        self.connections = 0
        self.together: threading.Barrier | None = None
        self.url = f"http://127.0.0.1:{self.server_port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.url = f"https://localhost:{self.server_port}"

    def expect_together(self, number: int) -> None:
        """Let that many requests for `/together` wait for one another."""
        self.together = threading.Barrier(number)

    def get_request(self) -> tuple[Any, Any]:
        """Count a connection."""
        connection = super().get_request()
        self.connections += 1
        return connection

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients leave in the middle, and refuse the certificate."""


@contextmanager
def run_upstream(certificate: Path | None = None) -> Iterator[Upstream]:
    """Run a server, with TLS if there is a certificate."""
    with Upstream(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


@contextmanager
def shared_client(client: HttpClient, folder: Path) -> Iterator[Any]:
    """Make the module of the shared client importable as `http_client`, and give it."""
    (folder / "http_client.py").write_text(client.build_module(), encoding="utf-8")
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module("http_client")
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("http_client", None)


def write_certificate(path: Path) -> Path:
    """Write a certificate for localhost that nobody but its owner trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), address]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path
