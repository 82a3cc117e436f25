"""The recipe `httpx-call`: the shared client gives the answers and errors of httpx's functions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.toolkit.migration.recipes.upstream import (
    run_upstream,
    shared_client,
    write_certificate,
)

from conftest import Serving
from flasync.toolkit.migration.http_clients import HTTPX

SETUP = """\
import io
import re

import httpx

URL = "{url}"
PRIVATE_URL = "{private_url}"


def describe(r):
    return (
        r.status_code, r.is_success, r.reason_phrase, r.url, r.content, r.text, r.encoding,
        [(k, v) for k, v in r.headers.multi_items() if k != "date"], dict(r.cookies),
        [(h.status_code, h.url) for h in r.history], r.links, list(r.iter_lines()),
        list(r.iter_bytes(3)), list(r.iter_text()), r.read(), r.is_closed, r.http_version,
        r.elapsed.total_seconds() > 0, r.request.method, r.request.content,
    )


def hide_boundary(text):
    return re.sub("[0-9a-f]{{32}}", "boundary", text)
"""

BODIES = [
    *(
        f'r = httpx.get(URL + "{path}")\nreturn describe(r)'
        for path in ("/json", "/html", "/latin1", "/xml", "/lines", "/cookies")
    ),
    *(
        f'r = httpx.get(URL + "/status/{status}")\nreturn describe(r)'
        for status in (204, 304, 404, 503)
    ),
    'return httpx.get(URL + "/echo", params={"a": [1, 2], "c": "é"}).json()',
    'return httpx.get(URL + "/echo", headers={"X-A": "1"}, auth=("me", "secret")).json()',
    'return httpx.get(URL + "/echo", auth=httpx.DigestAuth("me", "secret")).json()',
    'return httpx.post(URL + "/echo", data={"a": "1", "b": ["x", "y"]}).json()',
    'return httpx.post(URL + "/echo", content="text é").json()',
    'return httpx.post(URL + "/echo", json={"a": "é", "n": [1, None]}).json()',
    'return httpx.put(URL + "/echo", content=b"raw").json()',
    'return httpx.patch(URL + "/echo", json=1).json()',
    'return httpx.delete(URL + "/echo").json()',
    'return httpx.options(URL + "/echo").json()',
    'return httpx.request("POST", URL + "/echo", json=[]).json()',
    'form = {"file": ("a.txt", io.BytesIO(b"abc"), "text/plain"), "other": b"xyz"}\n'
    'r = httpx.post(URL + "/echo", files=form, data={"x": "1"})\n'
    "return hide_boundary(r.text)",
    'r = httpx.get(URL + "/redirect")\nreturn describe(r)',
    'r = httpx.get(URL + "/redirect", follow_redirects=True)\nreturn describe(r), r.json()',
    'r = httpx.post(URL + "/keep", content="x", follow_redirects=True)\nreturn r.json()',
    'httpx.get(URL + "/cookies")\nreturn httpx.get(URL + "/echo").json()',
    'return httpx.head(URL + "/redirect").next_request.url',
    'return httpx.get(PRIVATE_URL + "/json", verify=False).json()',
    'return httpx.get(PRIVATE_URL + "/json")',
    'return httpx.get(URL + "/cut")',
    'return httpx.get(URL + "/hang-up")',
    'return httpx.get(URL + "/bad-gzip")',
    'return httpx.get(URL + "/circle", follow_redirects=True)',
    'return httpx.get("no-scheme")',
    'return httpx.get("http://[::1/")',
    'return httpx.get(URL + "/status/404").raise_for_status()',
    'return httpx.get(URL + "/no-json").json()',
    # The message of these is another one; their class is the same.
    *(
        f"try:\n    return {call}\nexcept httpx.HTTPError as error:\n    return type(error)"
        for call in (
            'httpx.get(URL + "/never", timeout=0.1)',
            'httpx.get(URL + "/never", timeout=httpx.Timeout(5, read=0.1))',
            'httpx.get(URL + "/part", timeout=0.1)',
            'httpx.get("http://127.0.0.1:9/")',
        )
    ),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem")


@pytest.fixture
def setup(certificate: Path, tmp_path: Path) -> Iterator[str]:
    """The module around the function that asks."""
    with (
        run_upstream() as upstream,
        run_upstream(certificate) as private,
        shared_client(HTTPX, tmp_path),
    ):
        yield SETUP.format(url=upstream.url, private_url=private.url)


@pytest.mark.parametrize("body", BODIES)
async def test_served(body, setup, round_trip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("httpx-call", setup, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body, setup, round_trip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("httpx-call", setup, body).check_outside()
