"""FSY401: which Flask extensions are in use, and what is known of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from flasync.toolkit.extension_matrix import KnownExtension, load_extension_matrix
from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.rules.rule import Case, Page, Program, Rule
from flasync.toolkit.syntax import walk_statements

# Modules of that name prefix are extensions by Flask's own convention.
_PREFIX = "flask_"
_UNKNOWN_ADVICE = (
    "Make the app a flasync.Flask, run the app's own tests, and try the routes that use it with"
    " `flasync verify`."
)
_APP = """

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "done"
"""


class ExtensionStatus(Rule):
    """Tells of each Flask extension whether it was tested through flasync, and what to mind."""

    code = "FSY401"
    name = "extension-status"
    severity = Severity.NOTE

    page = Page(
        what=(
            "Finds the Flask extensions that the project imports, and tells how their own tests"
            " went through flasync, and what to mind."
        ),
        why=(
            "Extensions are written for one thread a request. flasync keeps that promise, and the"
            " extensions' own test suites are run to prove it. An extension outside of that matrix"
            " probably works, but nobody has looked."
        ),
        example="from flask_sqlalchemy import SQLAlchemy\n",
        instead="from flask_sqlalchemy import SQLAlchemy  # noqa: FSY401\n",
        fix_safety=(
            "There is nothing to mend. Where the advice has been followed or does not apply, a"
            " `noqa` comment or the baseline keeps the note away."
        ),
        references=(("Flask: extensions", "https://flask.palletsprojects.com/extensions/"),),
    )

    invalid = (
        Case(
            "an extension of the matrix, at its first import",
            {
                "app.py": "import flask\n"
                "from flask_login import LoginManager  # FSY401" + _APP + "LoginManager(app)\n",
                "more.py": "from flask_login import current_user\n",
            },
        ),
        Case(
            "imported as a module, and in a function",
            {
                "app.py": "import flask\n"
                "import flask_caching as caching  # FSY401"
                + _APP
                + "caching.Cache(app, config={'CACHE_TYPE': 'SimpleCache'})\n",
                "cli.py": "def migrate():\n    import flask_migrate  # FSY401\n\n"
                "    return flask_migrate\n",
            },
        ),
        Case(
            "part of another library",
            {
                "app.py": "import flask\nimport sentry_sdk  # FSY401" + _APP,
                "tracing.py": (
                    "from opentelemetry.instrumentation.flask import FlaskInstrumentor  # FSY401\n"
                ),
            },
        ),
    )
    valid = (
        Case("no extension", {"app.py": "import flask\nimport httpx\n" + _APP}),
        Case(
            "a module of the project with such a name",
            {
                "app.py": "import flask\nimport flask_pieces\n" + _APP,
                "flask_pieces.py": "NAME = 'pieces'\n",
            },
        ),
        Case(
            "a package of the project with such a name",
            {
                "app.py": "import flask\nfrom flask_shop import NAME\n" + _APP,
                "flask_shop/__init__.py": "NAME = 'shop'\n",
            },
        ),
        Case(
            "names of the project's own package",
            {
                "app.py": "import flask\nfrom shop import flask_login\n" + _APP,
                "shop/__init__.py": "flask_login = None\n",
            },
        ),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return one finding for each extension, where the project first imports it."""
        versions = {_normalize(name): version for name, version in program.surface.extensions}
        for module, place in _find_first_imports(program).items():
            known = [entry for entry in load_extension_matrix() if entry.module == module]
            name = known[0].distribution if known else module.replace("_", "-")
            message, advice = _describe(known, name, versions.get(_normalize(name), ""))
            yield Finding(
                code=self.code,
                rule=self.name,
                severity=self.severity,
                place=place,
                message=message,
                advice=advice,
                subject=name,
            )


def _describe(known: list[KnownExtension], name: str, version: str) -> tuple[str, str]:
    """Return what is known of an extension in use, and what to do."""
    used = f" {version}" if version else ""
    advice = " ".join(entry.advice for entry in known if entry.advice)
    tested = [entry for entry in known if entry.version]
    if not tested:
        title = known[0].title if known else name
        return f"{title}{used} was not tested through flasync", advice or _UNKNOWN_ADVICE
    # Of several runs of one suite the first is the plain one; the page tells of the others.
    message = f"{tested[0].title}{used}: {_describe_tests(tested[0])}"
    return message, advice or "There is nothing to do."


def _describe_tests(entry: KnownExtension) -> str:
    if entry.differences:
        return (
            f"{entry.differences} of the {entry.tests} tests of its own suite come to something"
            " else through flasync (its docs/extensions.md says why)"
        )
    return (
        f"the {entry.tests} tests of its own suite (version {entry.version}) come to the same"
        " through flasync as without it"
    )


def _find_first_imports(program: Program) -> dict[str, Place]:
    """Return the extensions that the project imports, and where first."""
    known = {entry.module for entry in load_extension_matrix()}
    tops = {module.partition(".")[0] for module in known}
    hints = {_PREFIX, *(top for top in tops if _PREFIX not in top)}
    found: dict[str, Place] = {}
    for source in program.sources.list_files():
        if not any(hint in source.text for hint in hints):
            continue  # walking every tree of a large project takes seconds
        for name, node in _list_imports(source.tree):
            parts = name.split(".")
            top = parts[0]
            modules = {".".join(parts[:length]) for length in range(1, len(parts) + 1)} & known
            if top.startswith(_PREFIX) and not _is_own(program, top):
                modules.add(top)
            for module in modules:
                found.setdefault(module, source.locate(node))
    return found


def _list_imports(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in walk_statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node


def _is_own(program: Program, module: str) -> bool:
    root = program.sources.root
    return (root / f"{module}.py").is_file() or (root / module).is_dir()


def _normalize(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
