"""The findings as GitHub's workflow commands, which become annotations of a pull request.

Source: "Workflow commands for GitHub Actions" in GitHub's documentation, and the escaping of
`@actions/core`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flasync.toolkit.finding import Finding, ScanReport, Severity
from flasync.toolkit.report.file_addresses import FileAddresses
from flasync.toolkit.report.outline import Outline
from flasync.toolkit.report.wording import end_sentence, join_routes, shorten_function

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_ROUTES = 3


def list_workflow_commands(report: ScanReport, base: Path | None = None) -> Iterator[str]:
    """Yield one command a finding, the most promising first: GitHub shows ten of each level.

    Args:
        report: What was found.
        base: The repository's folder; None: the project's.
    """
    outline = Outline(report)
    addresses = FileAddresses(report.root, base)
    for groups in outline.sections.values():
        for group in groups:
            for finding in group.findings:
                yield _build_command(finding, outline, addresses)


def _build_command(finding: Finding, outline: Outline, addresses: FileAddresses) -> str:
    properties = {
        "file": addresses.name(finding.place.file),
        "line": str(finding.place.line),
        "col": str(finding.place.column),
        "title": f"{finding.code} {finding.rule}",
    }
    listed = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    message = "\n".join(_list_message_lines(finding, outline))
    return f"::{_COMMANDS[finding.severity]} {listed}::{_escape_data(message)}"


def _list_message_lines(finding: Finding, outline: Outline) -> Iterator[str]:
    yield end_sentence(finding.message)
    yield finding.advice
    reaching = outline.list_reaching(finding)
    if reaching:
        yield f"On the way of {join_routes([route.id for route, _ in reaching], _ROUTES)}:"
        for step in reaching[0][1].chain:
            function = shorten_function(step.function, step.place.file)
            yield f"  {step.place} {function}: {step.call}"


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
