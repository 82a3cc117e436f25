"""The page of a verification, read by a parser and opened in a real browser."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from chromium import open_browser
from flasync.toolkit.report.browser_words import list_browser_lines
from flasync.toolkit.report.verify_html import build_verify_html
from flasync.toolkit.verifying.run import BrowserTimes, Run
from toolkit.report.test_html import Page as ParsedPage
from toolkit.verifying.sample_runs import (
    COMPARED,
    HOSTILE,
    MANY,
    POOLED,
    RUNS,
    SERIAL,
    SEVERAL,
)

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 400, "height": 800}

# What WCAG 2.2 wants of text, and of shapes that mean something.
TEXT_CONTRAST = 4.5
SHAPE_CONTRAST = 3.0

# Every kind of text of the page, and every kind of shape that is filled plainly or outlined.
READ_CONTRASTS = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const brightness = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const findGround = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return parse("white");
  };
  const compare = (one, other) => {
    const [low, high] = [brightness(one), brightness(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const texts = [...document.querySelectorAll("body *")]
    .filter((element) => element.checkVisibility() && !element.closest("svg, script, input"))
    .filter((element) => [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
    .map((element) => [
      element.className || element.tagName,
      compare(parse(getComputedStyle(element).color), findGround(element)),
    ]);
  const shapes = [...document.querySelectorAll(".panel .shape")]
    .filter((element) => element.checkVisibility())
    .map((element) => [
      element.getAttribute("class"),
      compare(parse(getComputedStyle(element).stroke), findGround(element.ownerSVGElement)),
    ]);
  return { texts, shapes };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of the module."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the page of a run; fails on a message in the console or a request to anywhere."""
    contexts = []
    troubles: list[str] = []

    def show(run: Run, **options: object) -> Page:
        file = tmp_path / "report.html"
        file.write_text(build_verify_html(run), encoding="utf-8")
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: seen.append(request.url))
        seen: list[str] = []
        page.goto(file.as_uri())
        troubles.extend(url for url in seen if url != file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert troubles == []


def parse(run: Run) -> ParsedPage:
    """The page, without a browser."""
    return ParsedPage(build_verify_html(run))


def press(page: Page, *keys: str) -> None:
    """Press keys one after another."""
    for key in keys:
        page.keyboard.press(key)


def get_zoom(page: Page, number: int = 0) -> float:
    """By how much the waterfall is enlarged."""
    return float(page.locator(".waterfall").nth(number).get_attribute("data-zoom") or 0)


def is_wider_than_window(page: Page) -> bool:
    """Whether the page has to be moved sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("run", RUNS.values(), ids=list(RUNS))
def test_page_is_whole(run: Run) -> None:
    """Every element is closed, every id is there once, and links lead into the page."""
    page = parse(run)
    assert page.open == []
    ids = page.list_values("id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in page.list_values("href")} <= set(ids)
    assert page.list_values("src") == []


def test_verdict_comes_first() -> None:
    """The sentence of the verdict stands before every table, and what to do next is there."""
    text = " ".join(parse(SERIAL).text.split())
    sentence = "The requests do not overlap: requests.get at shop/api.py:41 held the loop 60 ms"
    assert text.index(sentence) < text.index("Server blocking")
    assert "What to do next" in text


def test_comparison() -> None:
    """Both stacks stand side by side, with figures, how they were computed, and the answers."""
    text = " ".join(parse(COMPARED).text.split())
    for part in (
        "2 of 3 routes overlap on flasync on uvicorn; before, on Flask on gunicorn, 4 threads: 1.",
        "The answers of GET /weather and GET /cart are not the same on both.",
        "Server blocking 0.5 ms at worst 30 pings to another route",
        "Concurrent requests 4.0 of 20 at a time",
        "20 \N{MULTIPLICATION SIGN} 151 ms alone ÷ 760 ms together",
        "16.3 of 20 at a time 20 \N{MULTIPLICATION SIGN} 203 ms alone ÷ 249 ms together",
        "Response latency 454 ms median, 756 ms p99 all answered after 760 ms",
        "the same status, headers and body",
        "not the same headers: X-Worker: there once, missing now; body: differs in every request",
    ):
        assert part in text, part


def test_method_and_limits() -> None:
    """What was run and on what, how a figure is computed, and what it does not show, is said."""
    text = " ".join(parse(COMPARED).text.split())
    for part in (
        "flasync verify --app shop /prices /weather /cart",
        "20 of each route at once, each on a connection of its own",
        "Python 3.13.1",
        "2 cores, shared by client and server",
        "adds 0.7 ms to a request",
        "the number of requests times the shortest time of one alone",
        "One burst is not your traffic",
    ):
        assert part in text, part


def test_text_of_the_project_is_no_markup(show: Callable[..., Page]) -> None:
    """Names from outside stay text, in the page and in what the script writes."""
    page = show(HOSTILE)
    page.locator(".panels").focus()
    press(page, "ArrowDown")
    assert "<script>alert(1)</script>" in page.locator(".tip").inner_text()
    assert page.locator("body script").count() == 3
    assert "\u202e" not in page.locator("body").inner_text()


def test_opens_quietly(show: Callable[..., Page]) -> None:
    """No message in the console, no request, and every waterfall is drawn."""
    for run in (COMPARED, SEVERAL, replace(COMPARED, routes=())):
        page = show(run)
        drawn = sum(len(route.measured) for route in run.routes)
        assert page.locator(".plot svg:has(.shape)").count() == drawn


def test_zoom_by_buttons(show: Callable[..., Page]) -> None:
    """The buttons enlarge, reduce and show all again."""
    page = show(SERIAL)
    assert get_zoom(page) == 1
    page.get_by_role("button", name="Zoom in").click()
    assert get_zoom(page) == 2
    page.get_by_role("button", name="Zoom out").click()
    assert get_zoom(page) == 1
    page.get_by_role("button", name="Zoom in").dblclick()
    page.get_by_role("button", name="All", exact=True).click()
    assert get_zoom(page) == 1


def test_zoom_by_wheel(show: Callable[..., Page]) -> None:
    """The wheel scrolls the page, and with Ctrl it enlarges what is under the pointer."""
    page = show(SERIAL)
    plot = page.locator(".plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -600)
    page.wait_for_function("document.querySelector('.waterfall').dataset.zoom > 1.5")
    page.keyboard.up("Control")
    start, _, width, _ = (
        float(part) for part in plot.locator("svg").get_attribute("viewBox").split()
    )  # type: ignore[union-attr]
    assert start + width * 0.75 == pytest.approx(750, abs=5)
    zoom = get_zoom(page)
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    assert get_zoom(page) == zoom


def test_keyboard(show: Callable[..., Page]) -> None:
    """All of a waterfall is reached by keys: focus, each request, zoom, moving, and leaving."""
    page = show(POOLED)
    for _ in range(20):
        press(page, "Tab")
        if page.evaluate("document.activeElement.className") == "panels":
            break
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tip = page.locator(".tip")
    press(page, "End")
    assert "Request 20" in tip.inner_text()
    press(page, "Escape", "ArrowDown")
    first = tip.inner_text()
    assert "Request 1:" in first
    press(page, "ArrowDown")
    assert tip.inner_text() != first
    press(page, "End")
    assert "Request 20: 200, 4 bytes" in tip.inner_text()
    assert "Waiting its turn: AsyncAdaptedQueue.get (shop/orders.py:73)" in tip.inner_text()
    press(page, "+", "+", "ArrowRight")
    assert get_zoom(page) == 4
    press(page, "0")
    assert get_zoom(page) == 1
    press(page, "Escape")
    assert tip.is_hidden()


def test_pointing(show: Callable[..., Page]) -> None:
    """Pointing at a request or a ping tells its times, and leaving hides them."""
    page = show(SERIAL)
    plot = page.locator(".plot")
    plot.hover(position={"x": 50, "y": 30})
    tip = page.locator(".tip")
    assert "Request 1: 200" in tip.inner_text()
    assert "On the loop: requests.get (shop/api.py:41)" in tip.inner_text()
    plot.hover(position={"x": 100, "y": 8})
    assert "Ping of the bystander" in tip.inner_text()
    page.locator("h1").hover()
    assert tip.is_hidden()


def test_before_and_after(show: Callable[..., Page]) -> None:
    """Both stacks share an axis; one alone has the whole width."""
    page = show(COMPARED)
    figure = page.locator(".waterfall").first
    boxes = [svg.get_attribute("viewBox") for svg in figure.locator(".plot svg").all()]
    assert [box.split()[2] for box in boxes if box] == ["1000", "1000"]
    figure.get_by_label("flasync on uvicorn").check()
    assert [panel.is_visible() for panel in figure.locator(".panel").all()] == [False, True]
    assert get_zoom(page) > 3
    figure.get_by_label("Both, on one axis").check()
    assert get_zoom(page) == 1


def test_filters(show: Callable[..., Page]) -> None:
    """Text, verdict and difference choose routes, in the table and below; a call is found too."""
    page = show(SEVERAL)
    rows = page.locator("tr.route:visible")
    sections = page.locator("details.route:visible")
    page.get_by_role("searchbox").fill("asyncpg.fetch")
    assert rows.count() == sections.count() == 1
    assert page.locator("#shown").inner_text() == "1 of 7 routes"
    page.get_by_role("searchbox").fill("")
    page.get_by_label(re.compile("limited")).uncheck()
    assert rows.count() == sections.count() == 5
    page = show(COMPARED)
    page.get_by_label("only where answers differ").check()
    assert page.locator("tr.route:visible").count() == 2


def test_link_opens_route(show: Callable[..., Page]) -> None:
    """A route that is closed opens when its link is followed."""
    page = show(SEVERAL)
    assert page.locator("#r6").get_attribute("open") is None
    page.get_by_role("link", name="GET /health").click()
    page.wait_for_selector("#r6[open]")


def test_theme_switch(show: Callable[..., Page]) -> None:
    """The page follows the system, and a switch turns it over."""
    page = show(SERIAL, color_scheme="dark")
    button = page.get_by_role("button", name="Dark")
    read = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(read)
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    light = page.evaluate(read)
    assert button.get_attribute("aria-pressed") == "false"
    assert light == show(SERIAL, color_scheme="light").evaluate(read) != dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(show: Callable[..., Page], scheme: str) -> None:
    """Text and shapes stand out from their ground as WCAG wants it, light and dark."""
    for run in (SEVERAL, COMPARED):
        page = show(run, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found = page.evaluate(READ_CONTRASTS)
        assert len(found["texts"]) > 100
        assert [text for text in found["texts"] if text[1] < TEXT_CONTRAST] == []
        assert [shape for shape in found["shapes"] if shape[1] < SHAPE_CONTRAST] == []


def test_narrow_window(show: Callable[..., Page]) -> None:
    """On a telephone nothing has to be moved sideways, however long a name is."""
    for run in (COMPARED, SEVERAL, HOSTILE):
        page = show(run, viewport=NARROW)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert not is_wider_than_window(page)


def test_print(show: Callable[..., Page]) -> None:
    """Paper has every route and both stacks, whatever was closed, filtered or enlarged."""
    page = show(SEVERAL)
    page.get_by_role("searchbox").fill("weather")
    page.emulate_media(media="print")
    assert page.locator("h4:text('Waterfall'):visible").count() == 7
    assert page.locator("tr.route:visible").count() == 7
    assert page.locator(".tools:visible, .filters:visible").count() == 0
    assert page.pdf().startswith(b"%PDF")


def test_without_script(show: Callable[..., Page]) -> None:
    """Without a script the verdict, the tables and the waterfalls are there, and no dead button."""
    page = show(COMPARED, java_script_enabled=False)
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator(".compare:visible").count() == 3
    assert page.locator(".plot svg:visible").count() == 6
    page.locator("summary", has_text="The requests as a table: flasync").first.click()
    assert page.locator(".data[open] tbody tr:visible").count() == 20


def test_many_requests(show: Callable[..., Page]) -> None:
    """Of 2,000 requests a page shows a fair part, says so, and stays small."""
    route = MANY.routes[0]
    measured = route.measured[0]
    requests = measured.load.requests * 10
    load = replace(measured.load, requests=requests, pings=measured.load.pings * 100)
    run = replace(
        MANY, routes=(replace(route, measured=(replace(measured, load=load),)),), requests=2000
    )
    page = show(run)
    assert len(build_verify_html(run)) < 300_000
    assert re.search(r"\d\d of 2,000 requests, evenly thinned out", page.inner_text(".panel"))
    data = json.loads(page.locator("#data").text_content() or "")
    assert len(data["routes"][0]["panels"][0]["rows"]) <= 80


def test_browser_times() -> None:
    """What a real browser saw stands beside the other figures, and how it was taken."""
    times = BrowserTimes(
        windows=2,
        fetches_ms=(210.0, 250.0),
        held_back_ms=(4.0, 6.0),
        server_ms=(200.0, 201.0),
        failed=0,
        wall_ms=260.0,
        calm_input_ms=9.0,
        inputs_ms=(12.0, 20.0, 400.0),
    )
    route = SERIAL.routes[0]
    measured = replace(route.measured[0], browser=times)
    run = replace(SERIAL, routes=(replace(route, measured=(measured,)),))
    text = " ".join(parse(run).text.split())
    for part in (
        "Fetches 230 ms median, 250 ms p99",
        "2 fetches from 2 windows, done after 260 ms; 5.0 ms of it inside the browser;"
        " the server says 200 ms",
        "Input latency 20 ms median, 400 ms worst 3 presses; 9.0 ms while nothing else is asked",
        "The same was done by headless Chromium",
    ):
        assert part in text, part
    assert list(list_browser_lines(run.routes[0])) == [
        "flasync on uvicorn: fetches 230 ms median, 250 ms p99; input latency 20 ms median, 400 ms"
        " worst (3 presses; 9.0 ms while nothing else is asked)"
    ]
    assert "headless Chromium" not in parse(SERIAL).text
