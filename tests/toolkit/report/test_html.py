"""The report as a page."""

import html.parser
from dataclasses import replace

from flasync.toolkit.finding import Hit, ScanReport
from flasync.toolkit.report.html import build_html, mark_code
from toolkit.report.shop_report import REQUEST, build_observed_report, build_shop_report

VOID = {"meta", "input", "link", "br", "img"}


class Page(html.parser.HTMLParser):
    """A parsed page: its elements, its text, and whether its tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def list_values(self, name: str) -> list[str]:
        return [str(attrs[name]) for _, attrs in self.elements if name in attrs]


def parse(report: ScanReport) -> Page:
    return Page(build_html(report, "wsgi"))


def test_page_is_whole() -> None:
    """Every element is closed, and every id is there once."""
    page = parse(build_observed_report())
    assert page.open == []
    ids = page.list_values("id")
    assert len(ids) == len(set(ids))


def test_page_needs_no_network() -> None:
    """Nothing is loaded: all links lead into the page, and its policy forbids the rest."""
    page = parse(build_observed_report())
    assert page.list_values("src") == []
    assert all(href.startswith("#") for href in page.list_values("href"))
    assert any(value.startswith("default-src 'none'") for value in page.list_values("content"))


def test_links_lead_to_findings() -> None:
    """Each link from a route leads to a finding of the page."""
    page = parse(build_shop_report())
    targets = {href.removeprefix("#") for href in page.list_values("href")}
    assert targets
    assert targets <= set(page.list_values("id"))


def test_page_has_what_the_text_has() -> None:
    """Verdict, routes, findings, chains and next steps are all there."""
    words = " ".join(parse(build_observed_report()).text.split())
    for part in (
        "10 of the 11 routes of wsgi:app wait",
        "94 % of 318 ms",
        "FSY102 blocking-network 1 place, on the way of 3 routes",
        "Observed: 12 requests waited 3.7 s",
        "bookshop/supplier_client.py:24 Supplier.stock self._request(…)",
        "Also reached by 2 other routes GET /api/books/<isbn>/stock POST /checkout",
        "in a before_request that runs for it",
        "1 call could not be followed: bookshop/admin/views.py:104 writer.writerow(…)",
        "flasync scan --app wsgi --write-baseline flasync scan --app wsgi --check",
    ):
        assert part in words, part


def test_what_users_wrote_is_escaped() -> None:
    """Markup in rules, messages, advice and names stays text."""
    evil = "</script><script>alert(1)</script>"
    report = build_shop_report()
    finding = replace(REQUEST, message=evil, advice=f"`{evil}`", subject=evil, function=evil)
    route = replace(
        report.routes[0], id=evil, view=evil, reason=evil, hits=(Hit(finding, (), evil),)
    )
    page = parse(replace(report, app=evil, routes=(route,), findings=(finding,), notes=(evil,)))
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert page.open == []


def test_what_nobody_sees_is_shown() -> None:
    """A character that would turn the text around it, or steer something, has a visible one."""
    page = build_html(replace(build_shop_report(), app="a\u202eb\x1bc\r\nd"))
    assert "a\ufffdb\ufffdc\r\nd" in page
    assert "\u202e" not in page


def test_code_is_marked() -> None:
    """What stands between backticks is code, and all of it is escaped."""
    assert mark_code("`a < b` & c") == "<code>a &lt; b</code> &amp; c"


def test_page_of_an_app_without_routes() -> None:
    """A report without routes and findings is a page too."""
    page = parse(replace(build_shop_report(), routes=(), findings=()))
    assert "has no route of its own" in page.text
    assert page.open == []
