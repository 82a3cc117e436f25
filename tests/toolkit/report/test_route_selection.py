"""A report of some routes."""

import pytest

from flasync.toolkit.report.route_selection import select_routes, suggest_routes
from toolkit.report.shop_report import CHECK_PASSWORD, build_shop_report


@pytest.mark.parametrize(
    "wanted",
    [
        "POST /account/login",
        "/account/login",
        "views.login",
        "bookshop.accounts.views.login",
        "*/login",
        "ccount/log",
    ],
)
def test_route_has_many_names(wanted: str) -> None:
    """A route is named by its id, rule, endpoint, view, a pattern, or a part of its id."""
    report = select_routes(build_shop_report(), wanted)
    assert [route.id for route in report.routes] == ["POST /account/login"]
    assert CHECK_PASSWORD.place in [finding.place for finding in report.findings]
    assert {finding.code for finding in report.findings} == {"FSY103", "FSY108"}


def test_exact_name_wins_over_part() -> None:
    """The rule "/" is that route, not every route with a slash."""
    report = select_routes(build_shop_report(), "/")
    assert [route.id for route in report.routes] == ["GET /"]


def test_variables_are_no_patterns() -> None:
    """The brackets of a rule's variables mean themselves."""
    report = select_routes(build_shop_report(), "/admin/books/<int:book_id>/delete")
    assert len(report.routes) == 1


def test_unknown_route_gets_suggestions() -> None:
    """Where nothing fits, the report is empty, and like routes are proposed."""
    report = build_shop_report()
    assert select_routes(report, "/chekout").routes == ()
    assert "POST /checkout" in suggest_routes(report, "/chekout")
