"""The conformance run's own judgement: what counts as a difference, and what the page says."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conformance.outcome import (
    Difference,
    Known,
    Record,
    count_outcomes,
    find_differing,
    is_flaky,
    match_known,
    parse_record,
    read_known,
)
from conformance.report import Result, build_page, build_table
from conformance.suite import (
    Catalogue,
    Suite,
    Untested,
    parse_suite,
    read_catalogue,
)

DIFFERENCE = Difference("demo", "natural", "test_a", "passed", "failed")
SUITE = Suite("demo", "Demo", "1.0", "extension", "demo")


def build_record(**outcomes: str) -> Record:
    return Record(outcomes=outcomes)


# --- comparison --------------------------------------------------------------------------------


def test_equal_runs_do_not_differ():
    """Two runs with the same outcomes have no differing test."""
    assert find_differing(build_record(a="passed"), build_record(a="passed")) == []


def test_other_outcome_differs():
    """A test whose word changes is found, in either direction."""
    stock = build_record(a="passed", b="failed", c="skipped")
    assert find_differing(stock, build_record(a="failed", b="passed", c="skipped")) == ["a", "b"]


def test_absent_test_differs():
    """A test that only one of the runs has is found."""
    assert find_differing(build_record(a="passed"), build_record(b="passed")) == ["a", "b"]


def test_addresses_in_ids_do_not_differ():
    """An object's address in a parametrized test's id is no difference."""
    runs = [
        parse_record({"outcomes": {f"test[<f at {address}>]": "passed"}})
        for address in ("0x7f4a5b6c7d8e", "0x7fffffffffff")
    ]
    assert find_differing(*runs) == []


def test_confirmed_difference():
    """A test that differs in every run is not flaky."""
    stock, flasync = [build_record(a="passed")] * 3, [build_record(a="failed")] * 3
    assert not is_flaky("a", stock, flasync)


def test_flaky_in_stock():
    """A test on which the stock runs disagree says nothing about flasync."""
    stock = [build_record(a="passed"), build_record(a="failed"), build_record(a="passed")]
    assert is_flaky("a", stock, [build_record(a="error")] * 3)


def test_difference_that_a_rerun_refutes():
    """A test that comes to the same in any rerun of both is flaky."""
    flasync = [build_record(a="failed"), build_record(a="passed"), build_record(a="failed")]
    assert is_flaky("a", [build_record(a="passed")] * 3, flasync)


def test_counts_most_frequent_first():
    """Outcomes are counted in one line, and an empty run says so."""
    assert count_outcomes(build_record(a="failed", b="passed", c="passed")) == "2 passed, 1 failed"
    assert count_outcomes(build_record()) == "none"


# --- the checked-in list -----------------------------------------------------------------------


def test_listed_difference_is_matched():
    """A difference on the list is neither new nor gone."""
    known = [Known(DIFFERENCE, "why")]
    assert match_known([DIFFERENCE], known, [("demo", "natural")]) == ([], [])


def test_unlisted_difference_is_reported():
    """A difference that is not on the list, or is there for another lane, is reported."""
    other = Difference("demo", "loop", "test_a", "passed", "failed")
    unlisted, _ = match_known([other], [Known(DIFFERENCE, "why")], [("demo", "loop")])
    assert unlisted == [other]


def test_gone_difference_is_reported():
    """A listed difference that no longer occurs is reported."""
    known = [Known(DIFFERENCE, "why")]
    assert match_known([], known, [("demo", "natural")]) == ([], known)


def test_lane_that_did_not_run_is_not_gone():
    """Of a suite or lane that was not run, no listed difference is called gone."""
    assert match_known([], [Known(DIFFERENCE, "why")], [("demo", "loop")]) == ([], [])


def test_claim_about_threads_is_checked():
    """An entry that blames threads holds only while the control run bears it out."""
    known = [Known(DIFFERENCE, "why", threaded=True)]
    ran = [("demo", "natural")]
    assert match_known([replace(DIFFERENCE, threaded="failed")], known, ran) == ([], [])
    refuted = replace(DIFFERENCE, threaded="passed")
    assert match_known([refuted], known, ran) == ([refuted], [])


def test_known_difference_needs_a_reason(tmp_path: Path):
    """An entry without a reason is refused."""
    path = tmp_path / "differences.toml"
    entry = 'suite="a"\nlane="b"\nstock="d"\nflasync="e"\ntests=["c"]\n'
    path.write_text(f"[[difference]]\n{entry}")
    with pytest.raises(ValueError, match="has no reason"):
        read_known(path)
    path.write_text(f'[[difference]]\n{entry}reason="so"\n')
    assert read_known(path) == [Known(Difference("a", "b", "c", "d", "e"), "so")]


# --- the data and the page ---------------------------------------------------------------------


def test_checked_in_data_is_sound():
    """The checked-in suites and differences can be read, and name each other."""
    catalogue = read_catalogue()
    names = {suite.name for suite in catalogue.suites}
    root = Path(__file__).resolve().parent.parent
    known = read_known(root / "conformance" / "differences.toml")
    assert {entry.difference.suite for entry in known} <= names
    assert any(suite.core for suite in catalogue.suites)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"version": "1", "kind": "extension", "pathes": ["x"]}, "pathes"),
        ({"version": "1", "kind": "plugin"}, "plugin"),
        ({"version": "1", "kind": "extension", "lanes": ["fast"]}, "fast"),
    ],
)
def test_wrong_suite_is_refused(table: dict[str, object], message: str):
    """A typing error in the data is refused with the word that is wrong."""
    with pytest.raises(ValueError, match=message):
        parse_suite("demo", table)


def test_table_is_markdown():
    """A table has a heading, a rule and its rows."""
    assert build_table(["A", "B"], [["1", "2"]]) == ["| A | B |", "| --- | --- |", "| 1 | 2 |"]


def test_page_tells_each_suite():
    """The page has a row a lane, the differences with their reasons, and who is not in the run."""
    flasync = Record(outcomes={"test_a": "failed"}, bridged=1200, direct=1)
    result = Result(
        "demo", Record(outcomes={"test_a": "passed"}), {"natural": flasync}, [DIFFERENCE]
    )
    catalogue = Catalogue("", (SUITE,), (Untested("Other", "2.0", "sdist carries no tests"),))
    page = build_page(catalogue, {"demo": result}, [Known(DIFFERENCE, "so")])
    cells = "| Demo | 1.0 | 1 | natural | 1 passed | 1 failed | 1,200 "
    assert f"{cells}(and 1 to an app not Flask's) | 1 |" in page
    assert "| demo | natural | `test_a` | passed |  | failed | so |" in page
    assert "| Other | 2.0 | sdist carries no tests |" in page


def test_page_of_a_partial_run_is_refused():
    """A suite without a result is an error, not a shorter page."""
    with pytest.raises(LookupError, match="no result for demo"):
        build_page(Catalogue("", (SUITE,), ()), {}, [])


def test_result_survives_its_file(tmp_path: Path):
    """A result is read back as it was written."""
    result = Result(
        "demo",
        Record(outcomes={"test_a": "passed"}, seconds=1.5),
        {"loop": Record(outcomes={"test_a": "failed"}, details={"test_a": "..."}, bridged=3)},
        [DIFFERENCE],
        ["loop: test_b"],
    )
    result.write(tmp_path)
    assert Result.read(tmp_path / "demo.json") == result
