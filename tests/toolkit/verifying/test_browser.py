"""A real browser loads a real server, and its user presses a button meanwhile."""

import textwrap
from collections.abc import Iterator
from statistics import median

import pytest

from chromium import open_browser
from flasync.toolkit.verifying.browser import measure_in_browser
from flasync.toolkit.verifying.bystander import PATH
from flasync.toolkit.verifying.run import BrowserTimes
from flasync.toolkit.verifying.stacks import serve_flasync

COUNT = 8
SLEEP_MS = 200
HELD_MS = 80

APP = f"""
    import asyncio
    import time

    from flask import Flask, request

    app = Flask(__name__)

    @app.get("/awaits")
    async def awaits():
        await asyncio.sleep({SLEEP_MS / 1000})
        return request.headers.get("X-Shop", "") + request.cookies.get("session", "")

    @app.get("/holds")
    async def holds():
        time.sleep({HELD_MS / 1000})
        return "done"

    @app.get("/secret")
    def secret():
        told = request.headers.get("X-Shop"), request.cookies.get("session")
        return "", 200 if told == ("open", "mine") else 403
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served."""
    with open_browser():
        pass  # skips where there is none
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(textwrap.dedent(APP))
    with serve_flasync("shop", folder) as stack:
        yield stack.url


def measure(url: str, path: str, **options: object) -> BrowserTimes:
    """What the browser sees of one path."""
    seen = measure_in_browser({"shop": url}, path, COUNT, PATH, rounds=1, **options)  # type: ignore[arg-type]
    return seen["shop"]


def test_more_fetches_than_one_window_has_connections(url: str) -> None:
    """All fetches are at the server at once, and its own times are read."""
    times = measure(url, "/awaits")
    assert len(times.fetches_ms) == len(times.held_back_ms) == len(times.server_ms) == COUNT
    assert times.windows == 2
    assert times.failed == 0
    assert min(times.fetches_ms) >= min(times.server_ms) >= SLEEP_MS * 0.9
    assert times.wall_ms < COUNT * SLEEP_MS / 2


def test_user_feels_a_held_loop(url: str) -> None:
    """A press waits for the views that hold the loop, and not for those that await."""
    held = measure(url, "/holds")
    assert held.wall_ms >= COUNT * HELD_MS * 0.9
    assert max(held.inputs_ms) > COUNT * HELD_MS / 3
    assert max(held.inputs_ms) > 3 * held.calm_input_ms
    assert median(held.inputs_ms) > 2 * median(measure(url, "/awaits").inputs_ms)


def test_headers_and_cookies(url: str) -> None:
    """A login's headers go with each fetch, its cookies too; an answer that refuses has failed."""
    headers = (("X-Shop", "open"), ("Cookie", "session=mine; theme=dark"))
    assert measure(url, "/secret", headers=headers).failed == 0
    assert measure(url, "/secret").failed == COUNT
