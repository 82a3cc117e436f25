"""FSY501: debug mode where visitors can reach it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flasync.toolkit.app_runs import find_app_runs
from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.production_files import ProductionFile, read_production_files
from flasync.toolkit.rules.development_server import find_started_runs
from flasync.toolkit.rules.rule import Case, Page, Program, Rule
from flasync.toolkit.server_command import Server, find_server_commands
from flasync.toolkit.sources import SourceFile

_APP = """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "done"
"""
# What Flask takes for "off" in FLASK_DEBUG.
_OFF = frozenset({"0", "false", "no"})


class _Switch(NamedTuple):
    """A place that turns debug mode on."""

    place: Place
    written: str
    advice: str


class DebugInProduction(Rule):
    """Finds debug mode in files for production, and in code that a server imports."""

    code = "FSY501"
    name = "debug-in-production"
    severity = Severity.ERROR

    page = Page(
        what=(
            "Finds `FLASK_DEBUG=1` and `--debug` in files for production, `app.run(debug=True)` in"
            " a Python file that such a file runs, and debug mode that is turned on whenever the"
            " module is imported."
        ),
        why=(
            "In debug mode an error shows its visitor source code and values. On the development"
            " server it also offers a console in which anybody who finds the PIN runs any Python"
            " in the server's process."
        ),
        example="ENV FLASK_APP=shop FLASK_DEBUG=1\n",
        instead="ENV FLASK_APP=shop\n",
        fix_safety=(
            "Removing it is safe for visitors. On a developer's machine the mode is turned on by"
            " `flask run --debug`, `flasync serve --debug`, or `FLASK_DEBUG=1` in `.flaskenv`."
        ),
        references=(
            ("Flask: debug mode", "https://flask.palletsprojects.com/quickstart/#debug-mode"),
        ),
    )

    invalid = (
        Case(
            "a variable in a Dockerfile",
            {
                "app.py": _APP,
                "Dockerfile": """\
FROM python:3.13-slim
ENV FLASK_APP=app \\
    FLASK_DEBUG=1  # FSY501
CMD ["gunicorn", "-k", "asgi", "app:app"]
""",
            },
        ),
        Case(
            "a variable in a compose file",
            {
                "app.py": _APP,
                "compose.yaml": """\
services:
  web:
    build: .
    environment:
      FLASK_DEBUG: "true"  # FSY501
  admin:
    environment:
      - FLASK_DEBUG=1  # FSY501
""",
            },
        ),
        Case(
            "a variable in a systemd unit",
            {
                "app.py": _APP,
                "deploy/shop.service": """\
[Service]
Environment="FLASK_DEBUG=1"  # FSY501
ExecStart=/srv/shop/bin/hypercorn app:app
""",
            },
        ),
        Case(
            "an option of a command",
            {
                "app.py": _APP,
                "Procfile": """\
web: flask --app app run --debug  # FSY501
admin: flasync serve --app app --debug  # FSY501
api: FLASK_DEBUG=1 hypercorn app:app  # FSY501
""",
            },
        ),
        Case(
            "a Python file that a production file runs",
            {
                "app.py": _APP
                + """

if __name__ == "__main__":
    app.run(debug=True)  # FSY501
""",
                "Procfile": "web: python app.py\n",
            },
        ),
        Case(
            "code that runs when a server imports it",
            {
                "app.py": _APP
                + """

app.debug = True  # FSY501
app.config["DEBUG"] = True  # FSY501
"""
            },
        ),
        Case(
            "a server that starts when the module is imported",
            {"start.py": _APP + "\n\napp.run(debug=True)  # FSY501\n"},
        ),
    )
    valid = (
        Case(
            "app.run(debug=True) on a developer's machine",
            {
                "app.py": _APP
                + """

if __name__ == "__main__":
    app.run(debug=True)
""",
                "Procfile": "web: gunicorn -k asgi app:app\n",
            },
        ),
        Case(
            "debug mode turned off",
            {
                "app.py": _APP + '\n\napp.config["DEBUG"] = False\n',
                "Dockerfile": """\
FROM python:3.13-slim
ENV FLASK_DEBUG=0
CMD ["flasync", "serve", "--no-debug"]
""",
                "compose.yml": "services:\n  web:\n    environment:\n      FLASK_DEBUG: 'false'\n",
            },
        ),
        Case(
            "a value that is not known here",
            {
                "app.py": _APP,
                "compose.yml": """\
services:
  web:
    environment:
      FLASK_DEBUG: ${FLASK_DEBUG:-0}
""",
            },
        ),
        Case(
            "files for development",
            {
                "app.py": _APP,
                ".flaskenv": "FLASK_DEBUG=1\n",
                "compose.override.yml": """\
services:
  web:
    command: flask run --debug
""",
                "Dockerfile": """\
FROM python:3.13 AS dev
ENV FLASK_DEBUG=1
FROM python:3.13 AS production
CMD ["hypercorn", "app:app"]
""",
            },
        ),
        Case(
            "a configuration that is chosen by name",
            {
                "app.py": _APP,
                "config.py": """\
class Development:
    DEBUG = True


class Production:
    DEBUG = False
""",
            },
        ),
        Case(
            "debug mode of something else",
            {
                "app.py": _APP
                + """

async def main():
    return "done"


if __name__ == "__main__":
    import asyncio

    asyncio.run(main(), debug=True)
""",
                "Procfile": "job: python app.py\n",
            },
        ),
        Case(
            "a comment, and a variable of old versions that has no effect",
            {
                "app.py": _APP,
                "Dockerfile": """\
FROM python:3.13
# ENV FLASK_DEBUG=1
ENV FLASK_ENV=development
CMD ["hypercorn", "app:app"]
""",
            },
        ),
        Case(
            "a debug mode that depends on something",
            {
                "app.py": _APP
                + """

import os

if os.environ.get("SHOP_DEBUG"):
    app.debug = True
"""
            },
        ),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return one finding for each place that turns debug mode on."""
        switches: dict[Place, _Switch] = {}
        for switch in (*_find_in_files(program), *_find_in_code(program)):
            switches.setdefault(switch.place, switch)
        for switch in switches.values():
            yield Finding(
                code=self.code,
                rule=self.name,
                severity=self.severity,
                place=switch.place,
                message=(
                    f"`{switch.written}` turns debug mode on in production: an error shows its"
                    " visitor source code and values"
                ),
                advice=switch.advice,
                subject=switch.written,
            )


def _find_in_files(program: Program) -> Iterator[_Switch]:
    for file in read_production_files(program.sources.root):
        yield from _find_variables(file)
        for command in find_server_commands(file):
            takes_option = command.server in {Server.FLASK, Server.FLASYNC}
            if takes_option and command.has_flag("--debug"):
                yield _Switch(command.place, "--debug", "Remove --debug.")
            if command.server is Server.SCRIPT:
                for run in find_started_runs(command, program.sources):
                    if run.debug:
                        advice = f"Remove debug=True; {file.text.name} runs this file."
                        yield _Switch(run.place, "app.run(debug=True)", advice)


def _find_variables(file: ProductionFile) -> Iterator[_Switch]:
    for value, offset in file.find_variable("FLASK_DEBUG"):
        if value.lower() not in _OFF:
            written = f"FLASK_DEBUG={value}"
            yield _Switch(file.text.locate(offset), written, "Remove it, or set it to 0.")


def _find_in_code(program: Program) -> Iterator[_Switch]:
    """Yield what turns debug mode on in any process that imports the module."""
    for source in program.sources.list_files():
        for run in find_app_runs(source):
            if run.debug and run.at_import:
                yield _Switch(
                    run.place,
                    "app.run(debug=True)",
                    'Put it under `if __name__ == "__main__":`, so that a server may import this.',
                )
        for node in source.tree.body:
            if isinstance(node, ast.Assign) and _turns_debug_on(node, source):
                yield _Switch(
                    source.locate(node),
                    ast.unparse(node),
                    "Remove it; turn debug mode on with `flasync serve --debug` where you develop.",
                )


def _turns_debug_on(node: ast.Assign, source: SourceFile) -> bool:
    if not (isinstance(node.value, ast.Constant) and node.value.value is True):
        return False
    return any(ast.unparse(target) in _list_switches(source) for target in node.targets)


def _list_switches(source: SourceFile) -> set[str]:
    names = {
        target.id
        for node in source.tree.body
        if isinstance(node, ast.Assign) and "Flask(" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {f"{name}{end}" for name in names for end in (".debug", ".config['DEBUG']")}
