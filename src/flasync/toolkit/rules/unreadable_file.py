"""FSY001: a file of the project that could not be read."""

from __future__ import annotations

from collections.abc import Iterable

from flasync.toolkit.finding import Finding, Severity
from flasync.toolkit.rules.rule import Case, Page, Program, Rule

_APP = """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "done"
"""


class UnreadableFile(Rule):
    """Finds Python files that are no Python, or no text."""

    code = "FSY001"
    name = "unreadable-file"
    severity = Severity.WARNING

    page = Page(
        what="Finds Python files of the project that cannot be read or parsed.",
        why=(
            "What stands in such a file is not scanned. Routes that call it look better than they"
            " are. Often it is code for another Python version, or a template of a generator."
        ),
        example='print "done"\n',
        instead='print("done")\n',
        fix_safety=(
            "A person must correct the file, or exclude it in `[tool.flasync]` if it is not meant"
            " to be Python."
        ),
        references=(
            (
                "Python: porting from Python 2",
                "https://docs.python.org/3/howto/pyporting.html",
            ),
        ),
    )

    invalid = (
        Case(
            "a colon is missing",
            {"app.py": _APP, "broken.py": 'def index()  # FSY001\n    return "done"\n'},
        ),
        Case(
            "Python 2",
            {"app.py": _APP, "old.py": 'print "done"  # FSY001\n'},
        ),
    )
    valid = (
        Case("a file that nothing imports", {"app.py": _APP, "unused.py": "x = 1\n"}),
        Case("an empty file", {"app.py": _APP, "empty.py": ""}),
        Case("no Python file", {"app.py": _APP, "broken.txt": "def index()\n"}),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return one finding for each file that could not be read."""
        program.sources.list_files()
        for problem in program.sources.problems:
            yield Finding(
                code=self.code,
                rule=self.name,
                severity=self.severity,
                place=problem.place,
                message=f"This file is {problem.message}; nothing of it was scanned",
                advice="Correct it, or exclude it under [tool.flasync] in pyproject.toml.",
                subject=problem.place.file,
            )
