"""Slow services: one of the web, which answers all at once or one at a time, and one of names."""

import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

SECONDS = 0.1


class Answer(BaseHTTPRequestHandler):
    seconds = SECONDS

    def do_GET(self) -> None:
        time.sleep(self.seconds)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def serve(server_class: type[HTTPServer] = ThreadingHTTPServer, seconds: float = SECONDS) -> str:
    """The URL of a service that this process runs, and that takes so long to answer."""
    Answer.seconds = seconds
    server_class.request_queue_size = 128
    server = server_class(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def serve_names() -> int:
    """The port of a name server that answers late, and that there is no such name."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            query, address = sock.recvfrom(512)
            refusal = query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:]
            threading.Timer(SECONDS, sock.sendto, (refusal, address)).start()

    threading.Thread(target=answer, daemon=True).start()
    return int(sock.getsockname()[1])


POSTGRES = os.environ.get("FLASYNC_TEST_POSTGRES_ADMIN", "postgresql://postgres@127.0.0.1:5432")
POSTGRES += "/postgres"
