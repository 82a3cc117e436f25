"""Findings that are known, new and gone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flasync.errors import ProjectSettingError
from flasync.toolkit.baseline import (
    Baseline,
    compare_with_baseline,
    identify,
    read_baseline,
    write_baseline,
)
from flasync.toolkit.finding import Finding, Place, Severity


def make_finding(line: int = 3, subject: str = "time.sleep", file: str = "views.py") -> Finding:
    return Finding(
        code="FSY101",
        rule="blocking-sleep",
        severity=Severity.WARNING,
        place=Place(file, line),
        message=f"line {line}",
        advice="",
        subject=subject,
        function="views.wait",
    )


def make_baseline(*findings: Finding) -> Baseline:
    return Baseline(map(identify, findings))


def test_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """What is written is read again, how often each is there included."""
    findings = [make_finding(3), make_finding(9), make_finding(4, "os.read")]
    write_baseline(tmp_path / "known.json", findings)
    assert read_baseline(tmp_path / "known.json") == make_baseline(*findings)


def test_file_does_not_depend_on_order_or_lines(tmp_path: Path) -> None:
    """The same findings in another order, at other lines, give the same bytes."""
    findings = [make_finding(3), make_finding(4, "os.read"), make_finding(5, file="b.py")]
    moved = [replace(finding, place=Place(finding.place.file, 70)) for finding in findings]
    write_baseline(tmp_path / "one.json", findings)
    write_baseline(tmp_path / "two.json", reversed(moved))
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_moved_finding_is_known() -> None:
    """A finding at another line of the same function is known."""
    comparison = compare_with_baseline([make_finding(30)], make_baseline(make_finding(3)))
    assert (comparison.new, len(comparison.known), comparison.gone) == ((), 1, Baseline())


def test_one_more_of_a_kind_is_new() -> None:
    """Of three alike where two are known, the last one is new."""
    known = make_baseline(make_finding(3), make_finding(4))
    comparison = compare_with_baseline([make_finding(line) for line in (9, 3, 4)], known)
    assert [finding.place.line for finding in comparison.new] == [9]


@pytest.mark.parametrize(
    "changed",
    [
        replace(make_finding(), code="FSY102"),
        replace(make_finding(), function="views.pause"),
        make_finding(subject="os.read"),
        make_finding(file="other.py"),
    ],
)
def test_another_code_function_subject_or_file_is_new(changed: Finding) -> None:
    """What is about something else, or elsewhere, is new, and the known one is gone."""
    comparison = compare_with_baseline([changed], make_baseline(make_finding()))
    assert comparison.new == (changed,)
    assert comparison.gone == make_baseline(make_finding())


def test_fewer_of_a_kind_are_gone() -> None:
    """Where one of two is mended, one is gone."""
    known = make_baseline(make_finding(3), make_finding(4))
    comparison = compare_with_baseline([make_finding(3)], known)
    assert comparison.gone.total() == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": [{"code": "FSY101"}]}',
        '{"version": 1, "findings": [{"code": 1, "file": "", "function": "", "subject": "",'
        ' "count": 1}]}',
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is no baseline is an error that says how to write one."""
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(ProjectSettingError, match=r"is no baseline.*--write-baseline"):
        read_baseline(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A baseline that is not there is an error that says how to write one."""
    with pytest.raises(ProjectSettingError, match=r"is not there.*--write-baseline"):
        read_baseline(tmp_path / "known.json")


def test_unwritable_file_is_refused(tmp_path: Path) -> None:
    """A path that cannot be written to is an error with the reason."""
    with pytest.raises(ProjectSettingError, match="cannot be written: Is a directory"):
        write_baseline(tmp_path, [])


def test_file_is_for_people_too(tmp_path: Path) -> None:
    """The file is indented JSON that ends with a line break, with a key for each part."""
    write_baseline(tmp_path / "known.json", [make_finding()])
    text = (tmp_path / "known.json").read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["findings"] == [
        {
            "code": "FSY101",
            "file": "views.py",
            "function": "views.wait",
            "subject": "time.sleep",
            "count": 1,
        }
    ]
