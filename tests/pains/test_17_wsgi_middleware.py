"""WSGI middleware set on `app.wsgi_app` keeps working, in both lanes."""

import pytest

from pains.servers import Served

APP = "pains.apps.middleware:asgi"
LANES = pytest.mark.parametrize("lane", ["sync", "async"])


@LANES
def test_proxy_fix(server: Served, lane: str) -> None:
    """The app sees the client, scheme, host and prefix that the proxy reports."""
    forwarded = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Prefix": "/shop",
    }
    assert server.client.get(f"/{lane}", headers=forwarded).json() == {
        "remote_addr": "203.0.113.7",
        "url": f"https://shop.example/shop/{lane}",
        "script_root": "/shop",
        "secure": True,
        "route": "noted",
    }


@LANES
def test_middleware_changes_environ_and_headers(server: Served, lane: str) -> None:
    """A key that middleware adds is seen by the view, a header that it adds by the client."""
    answer = server.client.get(f"/{lane}")
    assert answer.json()["route"] == "noted"
    assert answer.headers["X-Note"] == "noted"


@LANES
def test_a_second_flask_app_below_a_prefix(server: Served, lane: str) -> None:
    """DispatcherMiddleware hands `/second` to another Flask app; its async views work too."""
    answers = server.get_at_once([f"/second/{lane}"] * 20)
    text = f"second app, {lane}, below /second"
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, text)] * 20


def test_a_plain_wsgi_app_below_a_prefix(server: Served) -> None:
    """DispatcherMiddleware hands `/plain` to a WSGI function."""
    assert server.client.get("/plain/path").text == "plain WSGI /path"


def test_whitenoise_serves_files(server: Served) -> None:
    """WhiteNoise answers for its files, with validators and ranges, and for nothing else."""
    answer = server.client.get("/assets/hello.txt")
    assert (answer.status_code, answer.text) == (200, "hello from a static file\n")
    unchanged = {"If-Modified-Since": answer.headers["Last-Modified"]}
    assert server.client.get("/assets/hello.txt", headers=unchanged).status_code == 304
    part = server.client.get("/assets/hello.txt", headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.text) == (206, "hello")
    assert server.client.head("/assets/hello.txt").headers["Content-Length"] == "25"
    assert server.client.get("/assets/missing.txt").status_code == 404


def test_an_error_below_middleware(server: Served) -> None:
    """An exception in an async view is Flask's 500 page, seen by the middleware outside."""
    server.expect_log(r"Traceback \(most recent call last\)", "LookupError")
    answer = server.client.get("/async-error")
    assert (answer.status_code, answer.headers["X-Note"]) == (500, "noted")
