"""The report as SARIF 2.1.0, for code scanning of GitHub and others.

Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flasync.toolkit.baseline import Identity, identify
from flasync.toolkit.finding import Finding, Hit, Place, RouteReport, ScanReport
from flasync.toolkit.knowledge import Knowledge
from flasync.toolkit.report.file_addresses import FileAddresses
from flasync.toolkit.report.outline import Outline
from flasync.toolkit.report.rule_pages import build_rule_page
from flasync.toolkit.report.wording import describe_evidence, end_sentence
from flasync.toolkit.rules import Rule

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_FINGERPRINT = "flasync/v1"

# Ways that are shown for a finding; viewers list each of them, and GitHub limits their size.
_CODE_FLOWS = 5


def build_sarif(
    report: ScanReport,
    rules: Mapping[str, Rule],
    knowledge: Knowledge,
    base: Path | None = None,
) -> str:
    """Return a SARIF log with one run.

    Args:
        report: What was found.
        rules: The rules by their codes; those with findings are described.
        knowledge: For the pages of the rules.
        base: The folder that file names are relative to; None: the project's.
    """
    codes = sorted({finding.code for finding in report.findings})
    results = _ResultBuilder(report, codes, FileAddresses(report.root, base))
    driver = {
        "name": "flasync",
        "version": version("flasync"),
        "rules": [_build_rule(code, rules.get(code), knowledge) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"PROJECT": {"uri": results.addresses.base.as_uri() + "/"}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": note}} for note in report.notes
                ],
            }
        ],
        "results": [results.build(finding) for finding in report.findings],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log)


def _build_rule(code: str, rule: Rule | None, knowledge: Knowledge) -> dict[str, Any]:
    if rule is None:
        return {"id": code}
    page = build_rule_page(rule, knowledge)
    described = {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.page.what},
        "fullDescription": {"text": rule.page.why},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": rule.severity.value},
    }
    if rule.page.references:
        described["helpUri"] = rule.page.references[0][1]
    return described


class _ResultBuilder:
    """Builds the results of one run."""

    def __init__(self, report: ScanReport, codes: list[str], addresses: FileAddresses) -> None:
        self.addresses = addresses
        self._outline = Outline(report)
        self._codes = codes
        self._seen: Counter[Identity] = Counter()

    def build(self, finding: Finding) -> dict[str, Any]:
        evidence = describe_evidence(finding)
        texts = [finding.message, finding.advice, evidence]
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": self._codes.index(finding.code),
            "level": finding.severity.value,
            "message": {"text": " ".join(end_sentence(text) for text in texts if text)},
            "locations": [self._build_location(finding.place)],
            "partialFingerprints": {_FINGERPRINT: self._build_fingerprint(finding)},
            "properties": {
                "kind": finding.kind,
                "subject": finding.subject,
                "evidence": finding.evidence.value,
                "routes": list(finding.routes),
            },
        }
        reaching = self._outline.list_reaching(finding)[:_CODE_FLOWS]
        if reaching:
            result["codeFlows"] = [self._build_flow(route, hit) for route, hit in reaching]
        return result

    def _build_flow(self, route: RouteReport, hit: Hit) -> dict[str, Any]:
        locations = [
            self._build_location(step.place, f"{step.function}: {step.call}") for step in hit.chain
        ]
        if route.place is not None and hit.entry == "view":
            locations.insert(0, self._build_location(route.place, route.id))
        if not locations:  # observed without a chain
            locations = [self._build_location(hit.finding.place, route.id)]
        return {
            "message": {"text": f"{route.id}, {hit.entry}"},
            "threadFlows": [{"locations": _number(locations)}],
        }

    def _build_location(self, place: Place, text: str = "") -> dict[str, Any]:
        name = self.addresses.name(place.file)
        file: dict[str, Any] = {"uri": quote(name), "uriBaseId": "PROJECT"}
        if Path(name).is_absolute():
            file = {"uri": Path(name).as_uri()}
        region = {"startLine": place.line, "startColumn": place.column}
        location: dict[str, Any] = {
            "physicalLocation": {"artifactLocation": file, "region": region}
        }
        if text:
            location["message"] = {"text": text}
        return location

    def _build_fingerprint(self, finding: Finding) -> str:
        identity = identify(finding)
        self._seen[identity] += 1
        text = "\0".join([*_list_fields(identity), str(self._seen[identity])])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _list_fields(identity: Identity) -> list[str]:
    return [identity.file, identity.code, identity.function, identity.subject]


def _number(locations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"location": location, "executionOrder": number}
        for number, location in enumerate(locations, 1)
    ]
