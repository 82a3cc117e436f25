"""The report of a migration as a page."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.migration.plan import Left
from flasync.toolkit.report.migration_html import build_migration_html
from toolkit.report.migrated_shop import PLANNED, WRITTEN

_VOID = {"meta", "link", "br"}


class Checker(HTMLParser):
    """Reads a page, and wants every element closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what is open."""
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember what a reader sees."""
        if self.open[-1:] != ["style"]:
            self.text += data


def read(report: MigrationReport) -> Checker:
    """The page, read."""
    checker = Checker()
    checker.feed(build_migration_html(report, "wsgi"))
    checker.close()
    assert checker.open == []
    return checker


@pytest.mark.parametrize(
    "report", [PLANNED, WRITTEN, replace(PLANNED, outcomes=(), diff="", left=())]
)
def test_page_is_whole(report: MigrationReport) -> None:
    """Every element is closed, and nothing is loaded from anywhere."""
    page = read(report)
    assert not [value for name, value in page.attributes if name in {"src", "href"}]
    assert "flasync migrate of wsgi" in page.text


def test_what_it_says() -> None:
    """It has the steps, the diff by file, what stays, what is by hand, and commands."""
    words = " ".join(read(PLANNED).text.split())
    assert "5 of 15 routes of wsgi can move onto the event loop" in words
    assert "async def send. It awaits, and all who call it can await it." in words
    assert "4 to 7. planned Move 4 more routes" in words
    assert "shop/views.py +1 -1" in words
    assert "requirements.txt +1 -0" in words
    assert "It takes lock." in words
    assert "Procfile:1: write asgi." in words
    assert "flasync migrate --app wsgi --write --install" in words


def test_outcomes() -> None:
    """Undone steps name every test that turned red."""
    words = " ".join(read(WRITTEN).text.split())
    assert "tests/test_a.py::test_b" in words
    assert "Commit 0123456789" in words
    assert "3 steps that you left out" in words


def test_text_of_the_project_is_no_markup() -> None:
    """Names, reasons and code from outside stay text."""
    bad = "<script>alert(1)</script>"
    report = replace(PLANNED, left=(Left(bad, f"it is {bad}", Place(bad, 1), bad),), by_hand=(bad,))
    page = build_migration_html(report)
    assert "<script" not in page
    assert "# &lt;b&gt;" in page
