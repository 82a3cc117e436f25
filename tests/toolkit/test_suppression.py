"""What hides a finding, and what does not."""

from dataclasses import replace

import pytest

from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.suppression import (
    drop_findings,
    has_noqa,
    is_selected,
    is_suppressed,
    matches_glob,
)
from toolkit.report.shop_report import REQUEST, build_shop_report

FINDING = Finding(
    code="FSY101",
    rule="blocking-sleep",
    severity=Severity.WARNING,
    place=Place("shop/views.py", 3),
    message="",
    advice="",
    subject="time.sleep",
)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NOQA",
        "# noqa: FSY101",
        "# noqa:FSY101",
        "# noqa : FSY101",
        "# noqa: fsy101",
        "# noqa: E501, FSY101",
        "# noqa: E501 FSY101",
        "# noqa: FSY101 (the supplier asks for the pause)",
        "# type: ignore  # noqa: FSY101",
        "# noqa (see the ticket)",
    ],
)
def test_noqa_hides(comment: str) -> None:
    """A bare noqa comment, and one with the code, hide a finding."""
    assert has_noqa(f"time.sleep(1)  {comment}", "FSY101")


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "# noqa: FSY102",
        "# noqa: FSY1",
        "# noqa: FSY1011",
        "# noqa: E501",
        "# noqa: see below",
        "# noqa-like",
        "# noqas",
        "# ask noqa",
    ],
)
def test_other_comments_hide_nothing(comment: str) -> None:
    """A comment for other codes, or in prose, hides nothing."""
    assert not has_noqa(f"time.sleep(1)  {comment}", "FSY101")


@pytest.mark.parametrize(
    ("select", "ignore", "selected"),
    [
        ([], [], True),
        (["FSY1"], [], True),
        (["FSY101"], [], True),
        (["FSY2"], [], False),
        ([], ["FSY1"], False),
        ([], ["FSY102"], True),
        (["FSY1"], ["FSY101"], False),
        (["FSY101"], ["FSY1"], True),
        (["FSY101"], ["FSY101"], False),
        (["FSY"], ["FSY3"], True),
    ],
)
def test_longest_prefix_decides(select: list[str], ignore: list[str], selected: bool) -> None:
    """The longest match of select and ignore decides, and ignore where they are equal."""
    assert is_selected("FSY101", select, ignore) is selected


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        ("shop/views.py", "shop/views.py", True),
        ("views.py", "shop/views.py", True),
        ("*.py", "shop/views.py", True),
        ("shop/*.py", "shop/views.py", True),
        ("shop/*.py", "shop/admin/views.py", False),
        ("shop/**", "shop/admin/views.py", True),
        ("shop", "shop/admin/views.py", True),
        ("shop/", "shop/admin/views.py", True),
        ("./shop", "shop/views.py", True),
        ("/shop", "lib/shop/views.py", False),
        ("**/views.py", "views.py", True),
        ("shop/**/views.py", "shop/views.py", True),
        ("shop/**/views.py", "shop/a/b/views.py", True),
        ("{shop,tests}/**", "tests/test_shop.py", True),
        ("{shop,tests}/**", "docs/conf.py", False),
        ("shop/view?.py", "shop/views.py", True),
        ("shop/[a-f]*.py", "shop/views.py", False),
        ("shop/[!a-f]*.py", "shop/views.py", True),
        ("shop.py", "shopXpy", False),
        ("shop+.py", "shop+.py", True),
        ("hop/views.py", "shop/views.py", False),
    ],
)
def test_globs(pattern: str, name: str, matched: bool) -> None:
    """Globs mean what they mean to Ruff."""
    assert matches_glob(name, pattern) is matched


@pytest.mark.parametrize(
    ("settings", "line", "suppressed"),
    [
        (ProjectSettings(), "time.sleep(1)", False),
        (ProjectSettings(), "time.sleep(1)  # noqa: FSY101", True),
        (ProjectSettings(ignore=("FSY1",)), "time.sleep(1)", True),
        (ProjectSettings(select=("FSY2",)), "time.sleep(1)", True),
        (ProjectSettings(per_file_ignores=(("shop/**", ("FSY10",)),)), "time.sleep(1)", True),
        (ProjectSettings(per_file_ignores=(("shop/**", ("FSY2",)),)), "time.sleep(1)", False),
        (ProjectSettings(per_file_ignores=(("tests/**", ("FSY",)),)), "time.sleep(1)", False),
    ],
)
def test_any_of_them_hides(settings: ProjectSettings, line: str, suppressed: bool) -> None:
    """Settings, file globs and comments each hide a finding alone."""
    assert is_suppressed(FINDING, settings, line) is suppressed


def test_dropped_findings_leave_the_routes_too() -> None:
    """What is dropped is in no list and on no route, and is counted."""
    before = replace(build_shop_report(), suppressed=2)
    after = drop_findings(before, lambda finding: finding.code == REQUEST.code)
    codes = {finding.code for finding in after.findings}
    codes |= {hit.finding.code for route in after.routes for hit in route.hits}
    assert REQUEST.code not in codes
    assert len(after.findings) == len(before.findings) - 1
    assert after.suppressed == 3


def test_nothing_dropped_changes_nothing() -> None:
    """A report in which nothing is hidden stays as it is."""
    report = build_shop_report()
    assert drop_findings(report, lambda finding: False) == report
