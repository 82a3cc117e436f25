"""The migration run's own judgement: what it says of an application, and its page."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conformance.migration import count, describe, is_green, read_applications
from conformance.migration_page import Outcome, build_page
from conformance.outcome import Record
from conformance.suite import Suite, read_catalogue

SUITE = Suite("demo", "Demo", "1.0", "application", "demo")
OUTCOME = Outcome(
    "demo",
    routes=5,
    moved=3,
    left={"it reads a file": 1, "Flask itself sends files here.": 1},
    ways={"rewrite": 2, "offload": 1},
    red=(),
    stalls=(),
    tests=40,
    seconds=1.5,
)


def test_each_application_is_a_suite() -> None:
    """Every application of `migrations.toml` has its source and its tests in `suites.toml`."""
    suites = {suite.name for suite in read_catalogue().suites}
    assert read_applications().keys() <= suites


def test_the_page_has_each_application() -> None:
    """The page in the repository is of the applications that are migrated, in their order."""
    titles = {suite.name: suite.title for suite in read_catalogue().suites}
    page = (Path(__file__).parent.parent / "docs" / "migrations.md").read_text()
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        titles[name] for name in read_applications()
    ]


def test_count() -> None:
    """The most frequent word comes first."""
    assert list(count(["a", "b", "b"]).items()) == [("b", 2), ("a", 1)]


@pytest.mark.parametrize(
    ("word", "green"), [("passed", True), ("xfailed", True), ("failed", False), (None, False)]
)
def test_green(word: str | None, green: bool) -> None:
    """A test that did nothing bad is green; one that is missing is not."""
    assert is_green(Record({"test_a": word} if word else {}), "test_a") is green


def test_what_is_printed() -> None:
    """The routes that moved and those that stay, with the reasons; what is red; what stalls."""
    bad = replace(OUTCOME, red=("test_a",), stalls=("GET / held it",))
    assert describe(bad) == [
        "demo: 3 of 5 routes moved, 1 of 40 tests turned red, 1 stalls (2 s)",
        "    2 calls: rewrite",
        "    1 calls: offload",
        "    1 stay: it reads a file",
        "    1 stay: Flask itself sends files here.",
        "    RED test_a",
        "    STALL GET / held it",
    ]


def test_kept_outcome(tmp_path: Path) -> None:
    """An outcome is read as it was written."""
    OUTCOME.write(tmp_path)
    assert Outcome.read(tmp_path / "demo.json") == OUTCOME


def test_page() -> None:
    """The page has a row and a section for each application, and a sum."""
    page = build_page([SUITE], {"demo": OUTCOME})
    assert "| Demo | 1.0 | 3 of 5 | 40 | 0 | 0 |\n| All |  | 3 of 5 | 40 | 0 | 0 |" in page
    assert "## Demo\n\nCalls that were changed: 2 by rewrite, 1 by offload.\n" in page
    assert "* 1: It reads a file.\n* 1: Flask itself sends files here.\n" in page


def test_page_names_what_went_wrong() -> None:
    """A red test and a stall are on the page."""
    page = build_page([SUITE], {"demo": replace(OUTCOME, red=("test_a",), stalls=("GET /",))})
    assert "| 40 | 1 | 1 |" in page
    assert "* Red: `test_a`\n* Stall: GET /\n" in page


def test_page_without_an_application() -> None:
    """An application that was never run makes no shorter page, but an error."""
    with pytest.raises(LookupError, match="demo"):
        build_page([SUITE], {})
