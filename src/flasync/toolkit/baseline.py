"""The findings that a project knows of already, so that a check fails on new ones alone.

A finding is known by what it is about and where it stands, not by its line, so that edits above it
do not make it new.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasync.errors import ProjectSettingError
from flasync.toolkit.finding import Finding

DEFAULT_NAME = "flasync-baseline.json"
VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What makes two findings of two scans the same."""

    file: str
    code: str
    function: str
    subject: str

    def __str__(self) -> str:
        """Return it as a line for people."""
        where = f" in {self.function}" if self.function else ""
        return f"{self.code} {self.subject}{where} ({self.file})"


Baseline = Counter[Identity]
"""How often each finding was there."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scan beside a baseline.

    Attributes:
        new: Findings that the baseline does not have.
        known: Findings that it has.
        gone: What it has and the scan does not, with how many there are fewer.
    """

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    gone: Baseline


def identify(finding: Finding) -> Identity:
    """Return what makes a finding the same in two scans."""
    return Identity(finding.place.file, finding.code, finding.function, finding.subject)


def read_baseline(path: Path) -> Baseline:
    """Return what a baseline file lists.

    Raises:
        ProjectSettingError: It is not there, cannot be read, or is no baseline.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return _parse_baseline(data)
    except FileNotFoundError as error:
        raise _build_error(path, "is not there", "Write it") from error
    except OSError as error:
        raise _build_error(path, f"cannot be read: {error.strerror}", "Write it anew") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _build_error(path, f"is no baseline: {error!r}", "Write it anew") from error


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Write the file; the same findings give the same bytes.

    Raises:
        ProjectSettingError: The file cannot be written.
    """
    entries = [
        {
            "code": identity.code,
            "file": identity.file,
            "function": identity.function,
            "subject": identity.subject,
            "count": count,
        }
        for identity, count in sorted(Counter(map(identify, findings)).items())
    ]
    text = json.dumps({"version": VERSION, "findings": entries}, indent=2, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise ProjectSettingError(
            f"The baseline {str(path)!r} cannot be written: {error.strerror}."
            " Name another file with --baseline"
        ) from error


def compare_with_baseline(findings: Iterable[Finding], baseline: Baseline) -> Comparison:
    """Return which findings are new, which are known, and which are gone.

    Of several findings alike in one function the first ones are the known ones.
    """
    left = baseline.copy()
    new: list[Finding] = []
    known: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: finding.place):
        identity = identify(finding)
        if left[identity] > 0:
            left[identity] -= 1
            known.append(finding)
        else:
            new.append(finding)
    return Comparison(tuple(new), tuple(known), +left)


def _parse_baseline(data: Any) -> Baseline:
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r}, where {VERSION} is known")
    baseline: Baseline = Counter()
    for entry in data["findings"]:
        texts = [entry[name] for name in ("file", "code", "function", "subject")]
        if not all(isinstance(text, str) for text in texts) or not isinstance(entry["count"], int):
            raise ValueError(f"the entry {entry!r}")
        baseline[Identity(*texts)] += entry["count"]
    return baseline


def _build_error(path: Path, problem: str, advice: str) -> ProjectSettingError:
    return ProjectSettingError(
        f"The baseline {str(path)!r} {problem}. {advice}: flasync scan --write-baseline"
    )
