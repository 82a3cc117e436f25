import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from app import app

VALUES = {"a": 10, "b": 20}


class Upstream(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.partition("?")[0].rpartition("/")[2]
        self.answer(200 if name in VALUES else 404, {"value": VALUES.get(name), "path": self.path})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ok = self.headers["X-Reader"] == "app" and json.loads(body) == {"value": 1}
        self.answer(201 if ok else 400, {})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def client(url):
    app.config["URL"] = url
    return app.test_client()


def test_station(client):
    answer = client.get("/stations/a?unit=F").json
    assert answer == {"value": 10, "path": "/stations/a?unit=F"}
    assert client.get("/stations/z").json == {"error": 404}


def test_down(client):
    app.config["URL"] = "http://127.0.0.1:9"
    assert client.get("/stations/a").status_code == 503


def test_average(client):
    assert client.get("/average?names=a,b").json == {"average": 15}


def test_both(client):
    assert client.get("/both").json == {"a": 10, "b": 20}
    assert client.get("/pooled").json == {"values": [10, 20]}


def test_report(client):
    assert client.post("/stations/a", json={"value": 1}).json == {"status": 201}
    assert client.post("/stations/a", json={"value": 2}).json == {"status": 400}


def test_warm(client):
    assert client.get("/warm").json == {"warm": ["b"]}
