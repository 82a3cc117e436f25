"""Calls of requests that become calls of httpx: what stays the same, and what is left alone."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.toolkit.migration.recipes.upstream import Upstream, run_upstream, shared_client

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.http_clients import HTTPX, HTTPX2, HttpChoice
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import CallChange, Safety
from flasync.toolkit.migration.recipe import LeaveAlone, Scene
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import render

RECIPE = "requests-call"


def migrate(text: str, choice: HttpChoice) -> str:
    """What becomes of a file with another client; raises what the recipe says of a call."""
    file = ParsedFile("app.py", text)
    changes = []
    for span, call in file.list_calls():
        for name in load_recipes()[RECIPE].names:
            if name in file.name_qualified(call.func):
                twin = load_recipes()[RECIPE].build(Scene(file, call, name, http=choice))
                assert twin.safety is Safety.UNSAFE
                changes.append(CallChange(span, name, Way.REWRITE, RECIPE, Safety.UNSAFE, ""))
    return render(file, changes, load_recipes(), http=choice)


def migrate_body(body: str) -> list[str]:
    """The lines of a function's body with httpx, without blanks before them."""
    text = "import requests\n\n\nasync def fetch(url):\n" + textwrap.indent(body, "    ")
    after = migrate(text, HttpChoice(HTTPX))
    return [line.strip() for line in after.partition("url):\n")[2].splitlines()]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "requests.get(url)",
            "await http.get(url, timeout=None, follow_redirects=True)",
        ),
        (
            "requests.get(url, {'a': 1}, timeout=3)",
            "await http.get(url, params={'a': 1}, timeout=3, follow_redirects=True)",
        ),
        ("requests.head(url, timeout=(1, 2))", "await http.head(url, timeout=(1, 2))"),
        (
            "requests.post(url, json=[], allow_redirects=False)",
            "await http.post(url, json=[], follow_redirects=False, timeout=None)",
        ),
    ],
)
def test_says_what_requests_does(before: str, after: str) -> None:
    """Redirects are followed and nothing times out, as with requests."""
    assert migrate_body(before) == [after]


def test_turns_ok_round() -> None:
    """`ok` is what is no error, wherever it is asked for."""
    body = """\
r = requests.get(url, timeout=1, allow_redirects=True)
if r.ok:
    pass
if not r.ok:
    pass
print(r.ok and url)
fine = r.ok
"""
    assert migrate_body(body)[1:] == [
        "if not r.is_error:",
        "pass",
        "if r.is_error:",
        "pass",
        "print((not r.is_error) and url)",
        "fine = not r.is_error",
    ]


def test_catches_the_nearest_classes() -> None:
    """Each class that is caught has its counterparts."""
    body = """\
try:
    requests.get(url).raise_for_status()
except requests.HTTPError as error:
    print(error.response.status_code)
except (requests.Timeout, requests.ConnectionError):
    pass
except requests.RequestException as error:
    print(error)
"""
    assert [line for line in migrate_body(body) if "except" in line] == [
        "except httpx.HTTPStatusError as error:",
        "except (httpx.TimeoutException, httpx.NetworkError, httpx.ProtocolError,"
        " httpx.ProxyError, httpx.ConnectTimeout):",
        "except (httpx.HTTPError, httpx.InvalidURL) as error:",
    ]


def test_writes_the_name_of_the_choice() -> None:
    """The module and the library are those that were chosen."""
    text = """\
import requests


async def fetch(url):
    try:
        return requests.get(url, timeout=1, allow_redirects=False).content
    except requests.Timeout:
        return b""
"""
    after = migrate(text, HttpChoice(HTTPX2, "shop.http_client"))
    assert "from shop.http_client import http\n" in after
    assert "except httpx2.TimeoutException:" in after


@pytest.mark.parametrize(
    "body",
    [
        "return requests.get(url).text",
        "return requests.get(url).ok",
        "return requests.get(url)",
        "r = requests.get(url)\nreturn r.headers",
        "r = requests.get(url)\nif r: pass",
        "r = requests.get(url)\nr.encoding = 'utf-8'",
        "requests.get(url, headers={'If-None-Match': '1'}).raise_for_status()",
        "requests.get(url, cookies={'a': 'b'})",
        "requests.get(url, proxies={})",
        "requests.post(url, data=url)",
        "requests.get(url, auth=requests.auth.HTTPBasicAuth('a', 'b'))",
        "try:\n    requests.get(url)\nexcept OSError:\n    pass",
        "try:\n    requests.get(url)\nexcept (KeyError, ValueError):\n    pass",
        "try:\n    requests.get(url)\nexcept requests.exceptions.SSLError:\n    pass",
        "try:\n    requests.get(url)\nexcept requests.Timeout as e:\n    print(e.response)",
    ],
)
def test_leaves_what_httpx_does_not_mean(body: str) -> None:
    """What means something else in httpx leaves the call alone."""
    with pytest.raises(LeaveAlone):
        migrate_body(body)


# --- against a real server ---------------------------------------------------------------------

BODIES = [
    'r = requests.get(URL + "/json")\nreturn r.status_code, r.ok is True, r.content, r.json()',
    'r = requests.get(URL + "/status/404")\nfine = r.ok\nreturn fine, not r.ok, r.status_code',
    'return read(requests.get(URL + "/echo", {"a": [1, 2], "c": "é"}).json())',
    'return read(requests.post(URL + "/echo", {"a": "1", "b": ["x", "y"]}).json())',
    'return read(requests.get(URL + "/echo", auth=("me", "secret")).json())',
    'return read(requests.get(URL + "/redirect").json())',
    'return requests.get(URL + "/redirect", allow_redirects=False).status_code',
    'return requests.head(URL + "/redirect").status_code',
    *(
        f"try:\n    {call}\nexcept {caught}:\n    return 'caught'"
        for call, caught in (
            ('requests.get(URL + "/never", timeout=0.1)', "requests.Timeout"),
            ('requests.get(URL + "/never", timeout=(5, 0.1))', "requests.ReadTimeout"),
            ('requests.get(URL + "/hang-up")', "requests.ConnectionError"),
            ('requests.get("http://127.0.0.1:9/")', "requests.ConnectionError"),
            ('requests.get(URL + "/cut")', "requests.RequestException"),
            ('requests.get(URL + "/bad-gzip")', "requests.RequestException"),
            ('requests.get(URL + "/circle")', "requests.TooManyRedirects"),
            ('requests.get("no-scheme")', "requests.exceptions.MissingSchema"),
            ('requests.get("ftp://example.test/")', "requests.exceptions.InvalidSchema"),
            ('requests.get(URL + "/status/500").raise_for_status()', "requests.HTTPError"),
        )
    ),
]
SETUP = """\
import requests

URL = "{url}"


def read(told):
    return told["method"], told["path"], told["body"], told["headers"].get("Authorization")


def ask():
{body}
"""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """The server that is asked."""
    with run_upstream() as server:
        yield server


@pytest.mark.parametrize("body", BODIES)
def test_answers_the_same(
    body: str, upstream: Upstream, tmp_path: Path, background_loop: None
) -> None:
    """The answer is the same, or the error is caught as the old one was."""
    before = SETUP.format(url=upstream.url, body=textwrap.indent(body, "    "))
    with shared_client(HTTPX, tmp_path):
        answers = []
        for text in (before, migrate(before, HttpChoice(HTTPX))):
            module: dict[str, Any] = {"__name__": "example"}
            exec(compile(text, "example.py", "exec"), module)
            answers.append(module["ask"]())
    assert answers[0] == answers[1]
    assert answers[1] is not None
