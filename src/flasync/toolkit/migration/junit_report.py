"""What pytest's JUnit file says of each test, by pytest's own ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

_MESSAGE_CHARACTERS = 200


@dataclass(slots=True)
class Outcomes:
    """What the tests of one run gave.

    Attributes:
        passed: The ids of those that passed.
        failed: The reason in one line, by id.
        skipped: The reason, by id.
        errors: The reason in one line, by the file that could not be collected.
    """

    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def read_outcomes(report: Path, cwd: Path) -> Outcomes:
    """Return the outcomes that a JUnit file of pytest has.

    Args:
        report: The file, of the family xunit1.
        cwd: The folder that pytest ran in.

    Raises:
        OSError: There is no such file.
        xml.etree.ElementTree.ParseError: It was not written to its end.
    """
    outcomes = Outcomes()
    tree = ElementTree.parse(report)  # noqa: S314  written by the user's own tests
    for case in tree.iter("testcase"):
        if case.get("name"):  # the one that an interrupt ended has none
            _add_case(outcomes, case, cwd)
    outcomes.passed -= outcomes.failed.keys()
    return outcomes


def shorten(text: str) -> str:
    """Return a text in one line that is not too long for a report."""
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE_CHARACTERS else line[: _MESSAGE_CHARACTERS - 1] + "…"


def _add_case(outcomes: Outcomes, case: ElementTree.Element, cwd: Path) -> None:
    bad = [child for child in case if child.tag in {"failure", "error"}]
    skipped = case.find("skipped")
    if not case.get("classname") and bad:
        outcomes.errors[_name_module(case, cwd)] = _read_reason(bad[0])
        return
    test = _name_test(case, cwd)
    if bad:
        outcomes.failed.setdefault(test, _read_reason(bad[0]))
    elif skipped is not None:
        outcomes.skipped[test] = shorten(skipped.get("message", ""))
    else:
        outcomes.passed.add(test)


def _read_reason(element: ElementTree.Element) -> str:
    """Return one line that says why a test failed."""
    message = (element.get("message") or "").strip()
    if message == "collection failure":
        marked = re.findall(r"^E\s+(.*)", element.text or "", re.MULTILINE)
        message = marked[-1] if marked else message
    return shorten(message.partition("\n")[0] or "it failed")


def _name_module(case: ElementTree.Element, cwd: Path) -> str:
    name = case.get("name", "")
    found = _find_module(name.split("."), cwd)
    return found[0] if found is not None and not found[1] else name


def _name_test(case: ElementTree.Element, cwd: Path) -> str:
    """Return pytest's id of a test.

    The class name in the report is the id's path and classes joined by dots. The file in the report
    is another one when the test is inherited.
    """
    name, dotted, file = case.get("name", ""), case.get("classname", ""), case.get("file", "")
    if dotted == file.removesuffix(".py").replace("/", "."):
        return f"{file}::{name}"
    found = _find_module(dotted.split("."), cwd)
    if found is None:
        return f"{dotted}::{name}"
    path, classes = found
    return "::".join((path, *classes, name))


def _find_module(parts: Sequence[str], cwd: Path) -> tuple[str, Sequence[str]] | None:
    """Split a dotted name into the path of a file, relative to pytest's root, and the rest."""
    for base in (cwd, *cwd.resolve().parents):
        for length in range(len(parts), 0, -1):
            path = "/".join(parts[:length]) + ".py"
            if (base / path).is_file():
                return path, parts[length:]
    return None
