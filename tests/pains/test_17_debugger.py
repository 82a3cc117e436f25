"""Werkzeug's DebuggedApplication on `app.wsgi_app` keeps working, in both lanes."""

import re

import pytest

from pains.servers import Served

APP = "pains.apps.debugger:asgi"
LANES = pytest.mark.parametrize("lane", ["sync", "async"])


@pytest.mark.parametrize("path", ["sync", "async", "async-stream"])
def test_a_fine_view_passes_through(server: Served, path: str) -> None:
    """The debugger runs the app inside its own generator; 20 requests at once are fine."""
    answers = server.get_at_once([f"/{path}"] * 20)
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "fine")] * 20


@LANES
def test_an_error_shows_the_debugger(server: Served, lane: str) -> None:
    """An exception is the debugger's page, whose console evaluates in the view's frame."""
    server.expect_log(r"Traceback \(most recent call last\)", "LookupError")
    number = {"sync": "41", "async": "42"}[lane]
    page = server.client.get(f"/{lane}-error")
    assert page.status_code == 500
    assert f"LookupError: {lane} {number}" in page.text
    secret = re.search(r'SECRET = "(\w+)"', page.text)
    frames = re.findall(r'id="frame-(\d+)"', page.text)
    assert secret and frames
    console = server.client.get(
        f"/{lane}-error",
        params={
            "__debugger__": "yes",
            "cmd": "number + 0",
            "frm": frames[-1],
            "s": secret.group(1),
        },
    )
    assert console.status_code == 200
    assert number in console.text
