"""The load of a route as a real browser sees it, and what a user of the site feels meanwhile.

A browser opens at most six connections to a host over HTTP/1.1; further fetches wait inside it. So
that the server and not the browser is what is measured, the fetches come from several windows,
each of which has connections of its own, as the windows of different users have. One more window
is a user's: a button in it is pressed twenty times a second, its handler asks the bystander, and
what counts is the time until the answer has been drawn. Interaction to Next Paint measures the
same for the first frame; here the server's answer is part of it.

The pages belong to the app's own origin, as a fetch to another one would need CORS and would hide
its times. No route of the app serves them: the browser's own traffic is answered here once, while a
page is opened, and goes to the server untouched from then on.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from flasync.toolkit.verifying.chromium import ARGUMENTS, find_chromium
from flasync.toolkit.verifying.run import BrowserTimes

# What Chromium opens to one host over HTTP/1.1.
_CONNECTIONS = 6

# Windows that load the server. More of them measure the machine that runs the browser.
_WINDOW_LIMIT = 10

# A press every so many milliseconds, and for how long before the load.
_PRESS_EVERY_MS = 50
_CALM_S = 1.0

# Seconds in which all windows have been told when to begin.
_LEAD_S = 0.5

_PAGE_PATH = "/-/flasync/page"
_PAGE = "<!doctype html><title>flasync verify</title><button>Press</button><script>{}</script>"


def measure_in_browser(
    urls: dict[str, str],
    path: str,
    n: int,
    bystander: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    timeout_s: float = 60.0,
    rounds: int = 3,
) -> dict[str, BrowserTimes]:
    """Fetch a path from windows of headless Chromium, and press a button meanwhile.

    The servers take turns, so that what else the machine does meets all of them alike.

    Args:
        urls: The URL of each server, without a slash at the end, by the name of its stack.
        path: The path, with its query, that is fetched by GET.
        n: How many fetches begin at once.
        bystander: The path that the button's handler asks.
        headers: Sent with every request.
        timeout_s: Seconds after which a fetch has failed.
        rounds: Times that each server gets its load; the one of the median length counts.

    Raises:
        MissingExtraError: There is no Chromium.
    """
    order = _Order(path, n, bystander, tuple(headers), timeout_s)
    seen: dict[str, list[BrowserTimes]] = {name: [] for name in urls}
    with _open_browser() as browser:
        visits = {name: _Visit(browser, url, order) for name, url in urls.items()}
        for _, (name, visit) in itertools.product(range(rounds), visits.items()):
            seen[name].append(visit.measure())
    return {name: _choose(times) for name, times in seen.items()}


@contextmanager
def _open_browser() -> Iterator[Browser]:
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def _choose(times: list[BrowserTimes]) -> BrowserTimes:
    """Return those of the median wall time."""
    return sorted(times, key=lambda each: each.wall_ms)[len(times) // 2]


@dataclass(frozen=True, slots=True)
class _Order:
    path: str
    count: int
    bystander: str
    headers: tuple[tuple[str, str], ...]
    timeout_s: float

    def share_out(self) -> list[int]:
        """Return how many fetches each window makes."""
        windows = min(-(-self.count // _CONNECTIONS), _WINDOW_LIMIT)
        return [len(range(number, self.count, windows)) for number in range(windows)]


class _Visit:
    """The windows that are open on one server: those that load it, and a user's."""

    def __init__(self, browser: Browser, url: str, order: _Order) -> None:
        self._browser = browser
        self._url = url
        self._order = order
        self._counts = order.share_out()
        self._loaders = [self._open() for _ in self._counts]
        self._user = self._open()
        self._press()
        self._user.wait_for_timeout(_CALM_S * 1000)
        self._calm_ms = statistics.median(self._user.evaluate("stop()"))

    def measure(self) -> BrowserTimes:
        """Return what the windows see of one load."""
        begin = time.time() + _LEAD_S
        timeout_ms = self._order.timeout_s * 1000
        load = {"path": self._order.path, "timeoutMs": timeout_ms, "at": begin * 1000}
        for window, count in zip(self._loaders, self._counts, strict=True):
            window.evaluate("order => { window.loaded = load(order); }", {**load, "count": count})
        self._user.wait_for_timeout(max(0.0, begin - time.time()) * 1000)
        self._press()
        loads = [window.evaluate("window.loaded") for window in self._loaders]
        return _build_times(loads, self._calm_ms, self._user.evaluate("stop()"))

    def _press(self) -> None:
        """Begin to press the button of the user's window."""
        path, timeout_ms = self._order.bystander, self._order.timeout_s * 1000
        order = {"path": path, "everyMs": _PRESS_EVERY_MS, "timeoutMs": timeout_ms}
        self._user.evaluate("order => { press(order); }", order)

    def _open(self) -> Page:
        """Open a page of the app's origin in a window with connections and cookies of its own."""
        context = self._browser.new_context()
        context.set_default_timeout((self._order.timeout_s + _CALM_S) * 2000)
        self._set_headers(context)
        page = context.new_page()
        body = _PAGE.format(files(__package__).joinpath("browser.js").read_text(encoding="utf-8"))
        context.route(
            self._url + _PAGE_PATH, lambda route: route.fulfill(body=body, content_type="text/html")
        )
        page.goto(self._url + _PAGE_PATH)
        context.unroute_all()  # each request would make a detour through this process
        return page

    def _set_headers(self, context: BrowserContext) -> None:
        headers = dict(self._order.headers)
        cookies = SimpleCookie(headers.pop("Cookie", ""))
        context.set_extra_http_headers(headers)
        context.add_cookies(
            [
                {"name": morsel.key, "value": morsel.value, "url": self._url}
                for morsel in cookies.values()
            ]
        )


def _build_times(loads: list[Any], calm_ms: float, pressed: list[float]) -> BrowserTimes:
    entries = [entry for load in loads for entry in load["entries"]]
    begin = min((entry["start"] for entry in entries), default=0.0)
    return BrowserTimes(
        windows=len(loads),
        fetches_ms=tuple(entry["end"] - entry["start"] for entry in entries),
        held_back_ms=tuple(entry["asked"] - entry["start"] for entry in entries),
        server_ms=tuple(sum(entry["server"]) for entry in entries if entry["server"]),
        failed=sum(load["failed"] for load in loads),
        wall_ms=max((entry["end"] for entry in entries), default=begin) - begin,
        calm_input_ms=calm_ms,
        inputs_ms=tuple(pressed),
    )
