"""The order in which people read a report."""

from dataclasses import replace

from flasync.toolkit.finding import Finding, RouteReport
from flasync.toolkit.report.outline import Outline, Section, find_section
from toolkit.report.shop_report import (
    COMMIT,
    GET_BOOK,
    LOAD_USER,
    PLACE_ORDER,
    REQUEST,
    build_observed_report,
    build_shop_report,
)


def list_codes(outline: Outline, section: Section) -> list[str]:
    return [group.head.code for group in outline.sections[section]]


def test_findings_with_one_cure_stand_together() -> None:
    """Findings of one rule with the same advice are one group, the most reached one first."""
    groups = Outline(build_shop_report()).sections[Section.BLOCKING]
    (group,) = [group for group in groups if group.head.code == "FSY103"]
    subjects = {finding.subject for finding in group.findings}
    assert subjects == {item.subject for item in (LOAD_USER, COMMIT, GET_BOOK, PLACE_ORDER)}
    assert group.head.place in (LOAD_USER.place, COMMIT.place)
    assert len(group.routes) == 10


def test_other_advice_is_another_group() -> None:
    """Findings of one rule with different advice stand apart."""
    report = build_shop_report()
    other = tuple(
        replace(finding, advice="Do otherwise.") if finding.place == COMMIT.place else finding
        for finding in report.findings
    )
    groups = Outline(replace(report, findings=other)).sections[Section.BLOCKING]
    assert len([group for group in groups if group.head.code == "FSY103"]) == 2


def test_the_most_promising_comes_first() -> None:
    """Without observation, kinds decide: other machines before the disk, notes last."""
    codes = list_codes(Outline(build_shop_report()), Section.BLOCKING)
    assert codes == ["FSY102", "FSY101", "FSY103", "FSY104", "FSY108"]


def test_observed_waiting_comes_first() -> None:
    """What was seen to wait longer goes before what was not."""
    codes = list_codes(Outline(build_observed_report()), Section.BLOCKING)
    assert codes[:2] == ["FSY102", "FSY103"]


def test_sections() -> None:
    """Every code has its section, an unknown one as well."""
    sections = {
        code: find_section(replace(REQUEST, code=code))
        for code in ("FSY001", "FSY101", "FSY201", "FSY301", "FSY401", "FSY501", "XYZ1")
    }
    assert sections == {
        "FSY001": Section.UNREAD,
        "FSY101": Section.BLOCKING,
        "FSY201": Section.UNSAFE,
        "FSY301": Section.UNSAFE,
        "FSY401": Section.SURROUNDINGS,
        "FSY501": Section.SURROUNDINGS,
        "XYZ1": Section.SURROUNDINGS,
    }


def test_ways_to_a_finding() -> None:
    """A finding knows each route that reaches it, the best route first."""
    outline = Outline(build_shop_report())

    def list_rules(finding: Finding) -> list[str]:
        return [route.rule for route, _ in outline.list_reaching(finding)]

    assert list_rules(REQUEST) == [
        "/books/<slug>/availability",
        "/api/books/<isbn>/stock",
        "/checkout",
    ]
    assert list_rules(replace(REQUEST, subject="nobody")) == []


def test_best_route() -> None:
    """The route to begin with is the first that gains, and rather one that only answers GET."""
    report = build_shop_report()
    best, stock, checkout, *_ = report.routes

    def find_best(*routes: RouteReport) -> RouteReport | None:
        return Outline(replace(report, routes=routes)).best_route

    assert find_best(*report.routes) is best
    assert find_best(checkout, stock, best) is stock
    assert find_best(checkout) is checkout
    assert find_best(report.routes[-1]) is None
