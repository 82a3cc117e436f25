"""The recipe `requests-call`: the shared client gives the answers and errors of requests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.toolkit.migration.recipes.upstream import (
    Upstream,
    run_upstream,
    shared_client,
    write_certificate,
)

from conftest import Serving
from flasync.toolkit.migration.http_clients import NIQUESTS

# What a function may be asked for: all that the recipe takes for the same in both libraries.
SETUP = """\
import io
import re

import requests
from requests.auth import HTTPBasicAuth

URL = "{url}"
PRIVATE_URL = "{private_url}"
CERTIFICATE = "{certificate}"


def describe(r):
    return (
        r.status_code, r.ok, bool(r), r.reason, r.url.removeprefix(URL), r.content, r.text,
        sorted((k, v) for k, v in r.headers.items() if k != "Date"), r.cookies.get_dict(),
        [(h.status_code, h.url.removeprefix(URL)) for h in r.history], r.is_redirect, r.links,
        list(r.iter_lines()), list(r.iter_content(3)), r.elapsed.total_seconds() > 0,
        r.request.method, r.request.body,
    )


def describe_error(error):
    names = [cls.__name__ for cls in type(error).__mro__]
    return names, getattr(getattr(error, "response", None), "status_code", None)


def hide_boundary(text):
    return re.sub("[0-9a-f]{{32}}", "boundary", text)
"""

ANSWERS = [
    'r = requests.get(URL + "/json")\nreturn describe(r), r.json()',
    *(
        f'r = requests.get(URL + "{path}")\nreturn describe(r)'
        for path in ("/html", "/html-utf8", "/latin1", "/xml", "/lines", "/cookies")
    ),
    *(
        f'r = requests.get(URL + "/status/{status}")\nreturn describe(r)'
        for status in (200, 204, 304, 404, 503)
    ),
    'r = requests.get(URL + "/html")\nr.encoding = "utf-8"\nreturn r.text',
    'return requests.get(URL + "/echo", {"a": [1, 2], "b": None, "c": "é"}).json()',
    'return requests.get(URL + "/echo", headers={"X-A": "1", "Accept": None}).json()',
    'return requests.get(URL + "/echo", auth=("me", "secret")).json()',
    'return requests.get(URL + "/echo", auth=HTTPBasicAuth("me", "secret")).json()',
    'return requests.get(URL + "/echo", cookies={"a": "b"}).json()',
    'return requests.post(URL + "/echo", {"a": "1", "b": ["x", "y"]}).json()',
    'return requests.post(URL + "/echo", "text é".encode()).json()',
    'return requests.post(URL + "/echo", None, {"a": "é", "n": [1, None]}).json()',
    'return requests.post(URL + "/echo", json=[]).json()',
    'return requests.put(URL + "/echo", [("a", "1"), ("a", "2")]).json()',
    'return requests.patch(URL + "/echo", json=1, headers={"Content-Type": "a/b"}).json()',
    'return requests.delete(URL + "/echo").json()',
    'return requests.options(url=URL + "/echo").json()',
    'return requests.request("post", URL + "/echo", data=b"raw").json()',
    'form = {"file": ("a.txt", io.BytesIO(b"abc"), "text/plain"), "other": b"xyz"}\n'
    'r = requests.post(URL + "/echo", files=form, data={"x": "1"})\n'
    "return hide_boundary(r.text)",
    'r = requests.get(URL + "/redirect")\nreturn describe(r), r.json()',
    'r = requests.post(URL + "/redirect", data="x")\nreturn describe(r), r.json()',
    'r = requests.post(URL + "/keep", data="x")\nreturn describe(r), r.json()',
    'r = requests.get(URL + "/redirect", allow_redirects=False)\nreturn describe(r)',
    'r = requests.head(URL + "/redirect")\nreturn describe(r)',
    'r = requests.head(URL + "/redirect", allow_redirects=True)\nreturn describe(r)',
    'requests.get(URL + "/cookies")\nreturn requests.get(URL + "/echo").json()',
    'return requests.get(PRIVATE_URL + "/json", verify=CERTIFICATE).json()',
    'return requests.get(PRIVATE_URL + "/json", verify=False).json()',
]

# A request, and the classes by which its error is caught.
FAILURES = [
    ('requests.get(URL + "/never", timeout=0.1)', "requests.Timeout"),
    ('requests.get(URL + "/never", timeout=(5, 0.1))', "requests.exceptions.ReadTimeout"),
    ('requests.get(URL + "/part", timeout=0.1)', "requests.ConnectionError"),
    ('requests.get(URL + "/cut")', "requests.exceptions.ChunkedEncodingError"),
    ('requests.get(URL + "/hang-up")', "requests.ConnectionError"),
    ('requests.get(URL + "/bad-gzip")', "requests.exceptions.ContentDecodingError"),
    ('requests.get(URL + "/circle")', "requests.TooManyRedirects"),
    ('requests.get("http://127.0.0.1:9/")', "(KeyError, requests.RequestException)"),
    ('requests.get("no-scheme")', "requests.exceptions.MissingSchema"),
    ('requests.get("ftp://example.test/")', "requests.exceptions.InvalidSchema"),
    ('requests.get("http://*.example.test/")', "requests.exceptions.InvalidURL"),
    ('requests.get("")', "ValueError"),
    ('requests.get("http://127.0.0.1:9/")', "OSError"),
    ('requests.get(URL + "/status/404").raise_for_status()', "requests.HTTPError"),
    ('requests.get(URL + "/status/500").raise_for_status()', "Exception"),
    ('requests.get(URL + "/no-json").json()', "requests.JSONDecodeError"),
    ('requests.get(URL + "/no-json").json()', "ValueError"),
    ('requests.get(URL + "/utf16").json()', "ValueError"),
    ("requests.get(PRIVATE_URL)", "requests.exceptions.SSLError"),
]
BODIES = [
    *ANSWERS,
    *(
        f"try:\n    return {call}\nexcept {caught} as error:\n    return describe_error(error)"
        for call, caught in FAILURES
    ),
]

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """The server that is asked."""
    with run_upstream() as server:
        yield server


@pytest.fixture
def setup(upstream: Upstream, certificate: Path, tmp_path: Path) -> Iterator[str]:
    """The module around the function that asks."""
    with run_upstream(certificate) as private, shared_client(NIQUESTS, tmp_path):
        yield SETUP.format(url=upstream.url, private_url=private.url, certificate=certificate)


@pytest.mark.parametrize("body", BODIES)
async def test_served(body, setup, round_trip, serving: Serving) -> None:
    """In requests of every kind, the answer or the error is the same, and is caught the same."""
    assert (await round_trip("requests-call", setup, body).check_served(serving))[0] == "returned"


@pytest.mark.parametrize("body", BODIES)
def test_outside(body, setup, round_trip) -> None:
    """Outside of requests, the answer or the error is the same, and is caught the same."""
    assert round_trip("requests-call", setup, body).check_outside()[0] == "returned"


def test_reads_netrc(setup, round_trip, tmp_path, monkeypatch) -> None:
    """A password of netrc is sent as before."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    sides = round_trip("requests-call", setup, 'return requests.get(URL + "/echo").json()')
    assert sides.check_outside()[1]["headers"]["Authorization"].startswith("Basic ")


def test_uses_proxy_of_environment(setup, upstream, tmp_path) -> None:
    """A proxy of the environment is asked as before; niquests reads the environment once."""
    script = (
        "import requests\nfrom flasync import await_\nfrom http_client import http\n"
        "url = 'http://elsewhere.test/echo'\n"
        "print(requests.get(url).json()['path'], await_(http.get(url)).json()['path'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"http_proxy": upstream.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["http://elsewhere.test/echo"] * 2, "")


def test_trusts_bundle_of_environment(setup, certificate, round_trip, monkeypatch) -> None:
    """REQUESTS_CA_BUNDLE is used as before."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    body = 'return requests.get(PRIVATE_URL + "/json").json()'
    assert round_trip("requests-call", setup, body).check_outside()[0] == "returned"
