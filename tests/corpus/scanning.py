"""What `flasync scan` reports of an app, as places."""

from pathlib import Path

import flask

from corpus.labelled import Place
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.scanning import build_program, build_report


def list_blocking_places(app: flask.Flask, root: Path) -> set[Place]:
    """Return where a scan of an app finds that a request blocks (the rules FSY101 to FSY110)."""
    program = build_program(app, root)
    report = build_report(program, ProjectSettings())
    return {
        (finding.place.file, finding.place.line)
        for finding in report.findings
        if finding.code.startswith("FSY1")
    }
