"""What a scan says, as values and as JSON."""

import dataclasses
import json

import pytest

from flasync.toolkit.finding import Evidence, Finding, Place, Severity, to_json

FINDING = Finding("FSY101", "blocking-sleep", Severity.WARNING, Place("a.py", 3), "m", "a", "s")


def test_places_sort_and_read_as_links() -> None:
    """Places sort by file, line and column, and read as terminals link them."""
    assert sorted([Place("b.py", 1), Place("a.py", 9, 2), Place("a.py", 9)])[0] == Place("a.py", 9)
    assert str(Place("a/b.py", 3, 7)) == "a/b.py:3"


def test_json_of_nested_values() -> None:
    """Every field becomes plain JSON, enums their text and tuples lists."""
    found = to_json({"a": (FINDING, Evidence.STATIC), 1: None})
    assert json.loads(json.dumps(found)) == found
    assert found["a"][0]["place"] == {"file": "a.py", "line": 3, "column": 1}
    assert (found["a"][0]["severity"], found["a"][1], found["1"]) == ("warning", "static", None)


def test_findings_do_not_change() -> None:
    """A finding is a value: equal ones are one, and none is changed in place."""
    assert {FINDING, dataclasses.replace(FINDING)} == {FINDING}
    with pytest.raises(dataclasses.FrozenInstanceError):
        FINDING.code = "x"  # type: ignore[misc]
