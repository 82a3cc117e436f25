"""The findings as annotations of GitHub."""

from dataclasses import replace
from pathlib import Path

from flasync.toolkit.finding import Place, ScanReport, Severity
from flasync.toolkit.report.workflow_commands import list_workflow_commands
from toolkit.report.shop_report import REQUEST, WSGI_ONLY, build_shop_report


def build_report(**changes: object) -> ScanReport:
    finding = replace(WSGI_ONLY, **changes)  # type: ignore[arg-type] # any of its attributes
    return replace(build_shop_report(), routes=(), findings=(finding,))


def test_command_has_place_title_and_chain() -> None:
    """A command has the level, the place and the title, and tells why, what to do, and the way."""
    (command,) = [
        line
        for line in list_workflow_commands(build_shop_report())
        if f"line={REQUEST.place.line}," in line and "FSY102" in line
    ]
    assert command == (
        "::warning file=bookshop/supplier_client.py,line=49,col=28,title=FSY102 blocking-network"
        "::`requests.request` waits for the network: its thread serves nobody else meanwhile."
        "%0AAwait it instead: use httpx.AsyncClient and `await client.request(…)`."
        "%0AOn the way of GET /books/<slug>/availability; GET /api/books/<isbn>/stock"
        "; POST /checkout:"
        "%0A  bookshop/catalogue/views.py:79 availability: supplier.stock(…)"
        "%0A  bookshop/supplier_client.py:24 Supplier.stock: self._request(…)"
        "%0A  bookshop/supplier_client.py:49 Supplier._request: requests.request(…)"
    )


def test_special_characters_are_escaped() -> None:
    """Percent signs and line breaks are escaped, in properties colons and commas too."""
    report = build_report(
        place=Place("a,b:c%.py", 1), message="50 %\r\nof: it, all::end", rule="r\nx"
    )
    (command,) = list_workflow_commands(report)
    assert command.startswith(
        "::warning file=a%2Cb%3Ac%25.py,line=1,col=1,title=FSY503 r%0Ax"
        "::50 %25%0D%0Aof: it, all::end.%0A"
    )
    assert "\n" not in command


def test_levels() -> None:
    """Errors, warnings and notes have GitHub's words."""
    levels = [
        next(iter(list_workflow_commands(build_report(severity=severity)))).split()[0]
        for severity in Severity
    ]
    assert levels == ["::error", "::warning", "::notice"]


def test_files_are_relative_to_the_repository() -> None:
    """A project in a folder of the repository has that folder in its file names."""
    report = build_report()
    (command,) = list_workflow_commands(report, Path(report.root).parent.parent)
    assert "file=examples/bookshop/Procfile," in command


def test_each_finding_is_one_command() -> None:
    """There are as many commands as findings, each in one line."""
    report = build_shop_report()
    commands = list(list_workflow_commands(report))
    assert len(commands) == len(report.findings)
    assert not any("\n" in command for command in commands)
