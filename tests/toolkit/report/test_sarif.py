"""The report as SARIF, read with a typed model of the standard."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import sarif_pydantic

from flasync.toolkit.finding import Place, ScanReport
from flasync.toolkit.knowledge import load_knowledge
from flasync.toolkit.report.sarif import build_sarif
from flasync.toolkit.rules import load_rules
from toolkit.report.shop_report import COMMIT, REQUEST, build_observed_report, build_shop_report

# Properties of the standard that the model leaves to its extras.
STANDARD_EXTRAS = {"columnKind", "toolExecutionNotifications"}


def build_run(report: ScanReport, base: Path | None = None) -> dict[str, Any]:
    """The one run of the log."""
    log = json.loads(build_sarif(report, load_rules(), load_knowledge(), base))
    (run,) = log["runs"]
    return run


def find_result(run: dict[str, Any], code: str) -> dict[str, Any]:
    return next(result for result in run["results"] if result["ruleId"] == code)


def list_extras(value: object) -> Iterator[str]:
    """The properties, anywhere in a model, that the standard's model does not know."""
    if isinstance(value, pydantic.BaseModel):
        yield from value.model_extra or ()
        for name in type(value).model_fields:
            yield from list_extras(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from list_extras(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from list_extras(item)


def test_log_is_of_the_standard() -> None:
    """The log parses as SARIF 2.1.0 and has no property that is not the standard's."""
    report = replace(build_observed_report(), notes=("Two files were not read.",))
    log = sarif_pydantic.Sarif.model_validate_json(
        build_sarif(report, load_rules(), load_knowledge())
    )
    assert set(list_extras(log)) <= STANDARD_EXTRAS
    assert log.version == "2.1.0"


def test_every_finding_is_a_result_of_its_rule() -> None:
    """Each finding is a result, and the index of its rule is that of the rule's description."""
    report = build_shop_report()
    run = build_run(report)
    rules = run["tool"]["driver"]["rules"]
    assert [result["ruleId"] for result in run["results"]] == [
        finding.code for finding in report.findings
    ]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_rules_are_described() -> None:
    """A rule with findings has its name, its texts, its page and its level."""
    rule = load_rules()["FSY102"]
    described = build_run(build_shop_report())["tool"]["driver"]["rules"]
    (entry,) = [entry for entry in described if entry["id"] == "FSY102"]
    assert entry["name"] == "blocking-network"
    assert entry["shortDescription"]["text"] == rule.page.what
    assert entry["help"]["markdown"].startswith("# FSY102 blocking-network\n")
    assert entry["defaultConfiguration"] == {"level": rule.severity.value}


def test_chains_are_code_flows() -> None:
    """Each route that reaches a finding is a flow, from the view to the call."""
    result = find_result(build_run(build_shop_report()), "FSY102")
    assert [flow["message"]["text"] for flow in result["codeFlows"]] == [
        "GET /books/<slug>/availability, view",
        "GET /api/books/<isbn>/stock, view",
        "POST /checkout, view",
    ]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    lines = [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps]
    assert lines == [73, 79, 24, 49]
    assert [step["executionOrder"] for step in steps] == [1, 2, 3, 4]


def test_fingerprints_outlive_moved_lines() -> None:
    """A finding at another line has the same fingerprint; two alike have different ones."""
    report = replace(build_shop_report(), routes=())

    def list_fingerprints(*lines: int) -> list[str]:
        findings = [replace(COMMIT, place=Place(COMMIT.place.file, line)) for line in lines]
        results = build_run(replace(report, findings=tuple(findings)))["results"]
        return [result["partialFingerprints"]["flasync/v1"] for result in results]

    assert list_fingerprints(27) == list_fingerprints(90)
    first, second = list_fingerprints(27, 30)
    assert first != second


def test_files_are_relative_to_the_repository(tmp_path: Path) -> None:
    """File names are URIs relative to the base; files outside of it are absolute."""
    places = [Place("shop/my views.py", 1), Place("/opt/ü.py", 2)]
    findings = tuple(replace(REQUEST, place=place) for place in places)
    report = replace(build_shop_report(tmp_path / "app"), routes=(), findings=findings)
    run = build_run(report, tmp_path)
    files = [
        result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]
    ]
    assert files == [
        {"uri": "app/shop/my%20views.py", "uriBaseId": "PROJECT"},
        {"uri": "file:///opt/%C3%BC.py"},
    ]
    assert run["originalUriBaseIds"]["PROJECT"]["uri"] == f"{tmp_path.as_uri()}/"
