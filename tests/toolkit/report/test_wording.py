"""The words that reports share."""

from dataclasses import replace

import pytest

from flasync.toolkit.finding import Evidence, Observed, Place
from flasync.toolkit.report.wording import (
    count,
    crop,
    describe_entry,
    describe_evidence,
    describe_waiting,
    format_duration,
    join,
    join_routes,
    shorten_function,
    shorten_place,
)
from toolkit.report.shop_report import REQUEST, build_shop_report


def test_numbers_and_lists() -> None:
    """Nouns follow their number, and lists end with "and"."""
    assert [count(1, "route"), count(1200, "route")] == ["1 route", "1,200 routes"]
    assert count(2, "entry", "entries") == "2 entries"
    assert [join([]), join(["a"]), join(["a", "b", "c"])] == ["", "a", "a, b and c"]


def test_long_lists_of_routes_are_cut() -> None:
    """A list is cut where that is shorter, and says how much is missing."""
    assert join_routes(["a", "b", "c"], 2) == "a; b; c"
    assert join_routes(["a", "b", "c", "d"], 2) == "a; b; and 2 more"


@pytest.mark.parametrize(
    ("ms", "text"), [(3.21, "3.2 ms"), (318.4, "318 ms"), (3741.0, "3.7 s"), (0, "0.0 ms")]
)
def test_durations(ms: float, text: str) -> None:
    """Durations have the unit that makes them short."""
    assert format_duration(ms) == text


@pytest.mark.parametrize(
    ("name", "file", "short"),
    [
        ("shop.views.Basket.get", "shop/views.py", "Basket.get"),
        ("shop.views.Basket.get", "src/shop/views.py", "Basket.get"),
        ("shop.create_app", "shop/__init__.py", "create_app"),
        ("shop.hooks.outer.<locals>.inner", "shop/hooks.py", "outer.inner"),
        ("views", "views.py", "views"),
        ("requests.api.request", "/usr/lib/other.py", "requests.api.request"),
        ("shop.book.html", "shop/templates/book.html", "shop.book.html"),
    ],
)
def test_functions_are_named_without_their_module(name: str, file: str, short: str) -> None:
    """A function's module is left out where its file says the same."""
    assert shorten_function(name, file) == short


def test_places_in_installed_packages_are_short() -> None:
    """The folder of installed packages is left out, other folders stay."""
    installed = Place("/venv/lib/python3.13/site-packages/shop/views.py", 3)
    assert shorten_place(installed) == "shop/views.py:3"
    assert shorten_place(Place("shop/views.py", 3)) == "shop/views.py:3"


def test_waiting_tells_views_from_hooks() -> None:
    """What only hooks wait for is marked, since it is mended once for all routes."""
    waiting = {route.rule: describe_waiting(route) for route in build_shop_report().routes}
    assert waiting["/books/<slug>/availability"] == "network, sleep, database"
    assert waiting["/api/books/<isbn>/stock"] == "network, sleep (hooks: database)"
    assert waiting["/cart"] == "database, in hooks"
    assert waiting["/account/login"] == "computing (hooks: database)"
    assert waiting["/health"] == ""


@pytest.mark.parametrize(
    ("evidence", "observed", "text"),
    [
        (Evidence.STATIC, None, ""),
        (Evidence.UNREACHED, None, "the observed run did not come here"),
        (
            Evidence.CONFIRMED,
            Observed(12, 3741, 0),
            "observed: 12 requests waited 3.7 s",
        ),
        (
            Evidence.OBSERVED,
            Observed(1, 20, 5),
            "observed: 1 request waited 20 ms and computed 5.0 ms, found only by running",
        ),
    ],
)
def test_evidence(evidence: Evidence, observed: Observed | None, text: str) -> None:
    """What a run has seen is told with numbers."""
    finding = replace(REQUEST, evidence=evidence, observed=observed)
    assert describe_evidence(finding) == text


def test_entries() -> None:
    """Where a chain begins has its article, and a view needs no word."""
    assert describe_entry("view") == ""
    assert describe_entry("after_request") == ", in an after_request that runs for it"
    assert describe_entry("url_value_preprocessor").startswith(", in a url_value")


def test_crop() -> None:
    """A long text is cut to its length, dots included."""
    assert crop("return book", 20) == "return book"
    assert crop("return book.title", 10) == "return bo…"
