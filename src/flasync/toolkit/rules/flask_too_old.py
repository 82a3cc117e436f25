"""FSY504: a requirement that keeps Flask older than flasync needs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.rules.rule import Case, Page, Program, Rule

_OLDEST = "3.1"
# Versions from the oldest one on. A requirement is too old when it allows none of them, and none
# from there on that it names itself.
_GOOD_ENOUGH = ("3.1", "3.1.99", "3.2.99", "3.99", "4.99", "5.99")
_REQUIREMENT_FILES = ("*requirements*.txt", "*requirements*.in", "requirements/*.txt")
_NAME = re.compile(r"(?<![\w.-])flask(?![\w.-])", re.IGNORECASE)
_APP = """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "done"
"""


class FlaskTooOld(Rule):
    """Finds requirements that allow no Flask that flasync runs."""

    code = "FSY504"
    name = "flask-too-old"
    severity = Severity.WARNING

    page = Page(
        what=(
            "Finds requirements of the project that allow only versions of Flask below"
            f" {_OLDEST}, in requirements files, pyproject.toml and Pipfile."
        ),
        why=(
            f"flasync needs Flask {_OLDEST}, so pip refuses to install both. The step to a new"
            " Flask is the first one of the migration, and one that can be released by itself."
        ),
        example="Flask>=2.0,<3\n",
        instead="Flask>=3.1,<4\n",
        fix_safety=(
            "Between Flask 2 and 3.1 names were removed (`flask.Markup`, `before_first_request`,"
            " `JSONEncoder`), and Werkzeug 3 comes with it. Run the tests with warnings as errors"
            " on Flask 2.3 first: it names what goes away."
        ),
        references=(("Flask: changes", "https://flask.palletsprojects.com/changes/"),),
    )

    invalid = (
        Case(
            "an exact version",
            {"app.py": _APP, "requirements.txt": "click==8.1.7\nFlask==2.0.3  # FSY504\n"},
        ),
        Case(
            "an upper bound, with an extra and a marker",
            {
                "app.py": _APP,
                "requirements/base.txt": (
                    'flask[async] >=1.1, <3 ; python_version >= "3.8"  # FSY504\n'
                ),
            },
        ),
        Case(
            "pyproject.toml",
            {
                "app.py": _APP,
                "pyproject.toml": """\
[project]
name = "shop"
dependencies = [
    "flask-login",
    "flask~=2.3",  # FSY504
]
""",
            },
        ),
        Case(
            "Poetry",
            {
                "app.py": _APP,
                "pyproject.toml": """\
[tool.poetry.dependencies]
python = "^3.11"
Flask = { version = "^2.2", extras = ["async"] }  # FSY504
""",
            },
        ),
        Case(
            "Pipfile",
            {"app.py": _APP, "Pipfile": '[packages]\nflask = "<3.1"  # FSY504\n'},
        ),
    )
    valid = (
        Case(
            "a lower bound",
            {"app.py": _APP, "requirements.txt": "Flask>=2.0\n"},
        ),
        Case(
            "versions that flasync runs",
            {
                "app.py": _APP,
                "requirements.txt": "# the app\nFlask>=3.1,<4\n",
                "requirements/lock.txt": "flask==3.1.2 \\\n    --hash=sha256:00\n",
                "requirements/next.txt": "flask~=3.1.4\n",
            },
        ),
        Case(
            "no version",
            {
                "app.py": _APP,
                "requirements.txt": "-r other.txt\n--no-binary :all:\nflask\n./wheels/flask.whl\n",
            },
        ),
        Case(
            "other distributions",
            {
                "app.py": _APP,
                "requirements.txt": "Flask-Login==0.6.3\nflask_wtf<1.3\nflask-sqlalchemy~=2.5\n",
            },
        ),
        Case(
            "Poetry and Pipenv with a new Flask",
            {
                "app.py": _APP,
                "pyproject.toml": '[tool.poetry.dependencies]\nflask = "^3.0"\n',
                "Pipfile": '[packages]\nflask = "*"\n',
            },
        ),
        Case(
            "a comment",
            {"app.py": _APP, "requirements.txt": "# Flask==2.0.3\nflask>3\n"},
        ),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return one finding for each requirement that allows no Flask that flasync runs."""
        root = program.sources.root
        for path, line, specifier in _list_requirements(root):
            if not _allows_new(specifier):
                yield Finding(
                    code=self.code,
                    rule=self.name,
                    severity=self.severity,
                    place=Place(path.relative_to(root).as_posix(), line),
                    message=f"Flask {specifier} is required here; flasync needs {_OLDEST} or newer",
                    advice=f"Write `Flask>={_OLDEST}`, install it, and run the tests.",
                    subject=f"Flask {specifier}",
                )


def _allows_new(specifier: SpecifierSet) -> bool:
    """Return whether a requirement allows a version from the oldest one on."""
    if any(part.operator == "===" for part in specifier):
        return True  # compared as text, and need not be a version
    named = (part.version.removesuffix(".*") for part in specifier)
    candidates = (Version(version) for version in (*_GOOD_ENOUGH, *named))
    return any(
        version >= Version(_OLDEST) and specifier.contains(version, prereleases=True)
        for version in candidates
    )


def _list_requirements(root: Path) -> Iterator[tuple[Path, int, SpecifierSet]]:
    """Yield what the project requires of Flask: the file, the line and the versions."""
    for pattern in _REQUIREMENT_FILES:
        for path in sorted(root.glob(pattern)):
            for line, text in enumerate(_read(path).splitlines(), start=1):
                specifier = _parse_requirement(re.split(r"\s#|\s--|\\$", text)[0])
                if specifier is not None:
                    yield path, line, specifier
    for name in ("pyproject.toml", "Pipfile"):
        yield from _list_declared(root / name)


def _list_declared(path: Path) -> Iterator[tuple[Path, int, SpecifierSet]]:
    contents = _read(path)
    try:
        data = tomllib.loads(contents)
    except tomllib.TOMLDecodeError:
        return  # whoever installs the project hears of it
    for text, specifier in _find_declared(data):
        line = next(
            (
                number
                for number, line in enumerate(contents.splitlines(), start=1)
                if text in line and _NAME.search(line) and not line.lstrip().startswith("#")
            ),
            1,
        )
        yield path, line, specifier


def _find_declared(data: dict[str, Any]) -> Iterator[tuple[str, SpecifierSet]]:
    """Yield what a TOML file requires of Flask: the text as written, and the versions."""
    project = data.get("project", {})
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    for text in (text for group in groups for text in group if isinstance(text, str)):
        specifier = _parse_requirement(text)
        if specifier is not None:
            yield text, specifier
    for table in (
        data.get("tool", {}).get("poetry", {}).get("dependencies", {}),
        data.get("packages", {}),
    ):
        for name, value in table.items():
            text = value.get("version", "*") if isinstance(value, dict) else value
            if name.lower() == "flask" and isinstance(text, str):
                specifier = _parse_poetry(text)
                if specifier is not None:
                    yield text, specifier


def _parse_requirement(text: str) -> SpecifierSet | None:
    """Return the versions of Flask that a requirement allows; None if it is about another."""
    try:
        requirement = Requirement(text.strip())
    except InvalidRequirement:
        return None  # an option, an address, or a comment
    return requirement.specifier if requirement.name.lower() == "flask" else None


def _parse_poetry(text: str) -> SpecifierSet | None:
    """Return the versions that Poetry's or Pipenv's notation allows; None if it cannot be read."""
    parts = [] if text == "*" else [part.strip() for part in text.split(",")]
    try:
        return SpecifierSet(",".join(map(_translate_poetry, parts)))
    except InvalidSpecifier:
        return None


def _translate_poetry(part: str) -> str:
    """Return one part of Poetry's notation as the standard has it."""
    caret = re.fullmatch(r"\^\s*(\d+)([\w.]*)", part)
    if caret:
        return f">={caret[1]}{caret[2]},<{int(caret[1]) + 1}"
    tilde = re.fullmatch(r"~\s*(\d+)\.(\d+)([\w.]*)", part)
    if tilde:
        return f">={tilde[1]}.{tilde[2]}{tilde[3]},<{tilde[1]}.{int(tilde[2]) + 1}"
    return f"=={part}" if part[0].isdigit() else part


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
