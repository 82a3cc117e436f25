"""The recipe `requests-session`: a bridged session gives the answers and errors of requests."""

import asyncio
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.toolkit.migration.recipes.upstream import run_upstream, shared_client

import flasync
from conftest import Call, Serving
from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.http_clients import NIQUESTS
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import CallChange, Safety
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import render

SETUP = """\
import io

import requests

URL = "{url}"


def describe(r):
    return (
        r.status_code, r.ok, bool(r), r.reason, r.url.removeprefix(URL), r.content, r.text,
        sorted((k, v) for k, v in r.headers.items() if k != "Date"), r.cookies.get_dict(),
        [(h.status_code, h.url.removeprefix(URL)) for h in r.history], list(r.iter_lines()),
        list(r.iter_content(3)), r.elapsed.total_seconds() > 0,
    )


def describe_error(error):
    response = getattr(error, "response", None)
    return [cls.__name__ for cls in type(error).__mro__], getattr(response, "status_code", None)
"""

CALLS = [
    'r = session.get(URL + "/json", params={"a": [1, 2]})\nreturn describe(r), r.json()',
    'r = session.get(URL + "/html")\nreturn describe(r) if r else None',
    'session.get(URL + "/cookies")\nreturn session.get(URL + "/echo").json()',
    'session.get(URL + "/redirect")\nreturn session.post(URL + "/echo", {"a": "1"}).json()',
    'session.headers.update({"X-A": "1"})\nreturn session.get(URL + "/echo").json()',
    'return session.delete(URL + "/echo").json()',
    'return session.put(URL + "/echo", "text").json(), session.patch(URL + "/echo", b"").json()',
    'return session.request("OPTIONS", URL + "/echo", {"a": 1}).json()',
    'return describe(session.head(URL + "/redirect"))',
    'r = session.post(URL + "/status/404", json=[])\nreturn describe(r)',
    *(
        f"try:\n    return {call}\nexcept {caught} as error:\n    return describe_error(error)"
        for call, caught in (
            ('session.get(URL + "/never", timeout=0.1)', "requests.Timeout"),
            ('session.get(URL + "/hang-up")', "requests.ConnectionError"),
            ('session.get("http://127.0.0.1:9/")', "requests.RequestException"),
            ('session.get(URL + "/circle")', "requests.TooManyRedirects"),
            ('session.get(URL + "/status/500").raise_for_status()', "requests.HTTPError"),
            ('session.get(URL + "/no-json").json()', "ValueError"),
        )
    ),
]


# How a session is made; what follows it is indented once more.
BLOCK = "def ask():\n    with requests.Session() as session:\n"
KEPT = "session = requests.Session()\n\n\ndef ask():\n    if True:\n"

Ask = Callable[[], Any]


def run(text: str) -> dict[str, Any]:
    """A module that was run."""
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(text, "example.py", "exec"), module)
    return module


def migrate(text: str) -> str:
    """The module with its session bridged."""
    file = ParsedFile("app.py", text)
    recipes = load_recipes()
    name = "requests.Session"
    changes = [
        CallChange(span, name, Way.BRIDGE, "requests-session", Safety.SAFE, "")
        for span, call in file.list_calls()
        if name in file.name_qualified(call.func)
    ]
    after = render(file, changes, recipes)
    assert "bridged(AsyncSession)" in after
    return after


@pytest.fixture
def build(tmp_path: Path, background_loop: None) -> Iterator[Callable[[str, str], tuple[Ask, Ask]]]:
    """Give the old and the new function for a way to make the session, and the calls of it."""
    with run_upstream() as upstream, shared_client(NIQUESTS, tmp_path):
        setup = SETUP.format(url=upstream.url)
        kept = []

        def build(made: str, calls: str) -> tuple[Ask, Ask]:
            text = setup + "\n\n" + made + textwrap.indent(calls, " " * 8) + "\n"
            old, new = run(text), run(migrate(text))
            kept.append(old.get("session"))
            return old["ask"], new["ask"]

        yield build
        for session in filter(None, kept):
            session.close()


@pytest.mark.parametrize("calls", CALLS)
async def test_served(calls: str, build, serving: Serving) -> None:
    """In async and in sync views, the answer or the error is the same, and is caught the same."""
    old, new = build(BLOCK, calls)
    expected = await asyncio.to_thread(old)
    found = []
    app = flasync.Flask("example")

    @app.get("/async")
    async def view_async() -> str:
        found.append(new())
        return ""

    @app.get("/sync")
    def view_sync() -> str:
        found.append(new())
        return ""

    async with serving(app) as asgi:
        for path in ("/async", "/sync"):
            assert (await Call(asgi, path).start().finish()).status == 200
    assert found == [expected, expected]


@pytest.mark.parametrize("made", [BLOCK, KEPT], ids=["block", "kept"])
@pytest.mark.parametrize("calls", [calls for calls in CALLS if "headers.update" not in calls])
def test_outside(calls: str, made: str, build) -> None:
    """Outside of requests, the answer or the error is the same, and is caught the same."""
    old, new = build(made, calls)
    assert new() == old()
