"""FSY502: Flask's development server in a file for production."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from flasync.app import Flask
from flasync.toolkit.app_runs import AppRun, find_app_runs
from flasync.toolkit.finding import Finding, Severity
from flasync.toolkit.production_files import read_production_files
from flasync.toolkit.rules.rule import Case, Page, Program, Rule
from flasync.toolkit.server_command import Server, ServerCommand, find_server_commands
from flasync.toolkit.sources import SourceFile, Sources

_APP = """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "done"
"""
_MAIN = """

if __name__ == "__main__":
    app.run(host="0.0.0.0")
"""


class DevelopmentServer(Rule):
    """Finds `flask run` and `app.run()` where the app is started for its visitors."""

    code = "FSY502"
    name = "development-server"
    severity = Severity.WARNING

    page = Page(
        what=(
            "Finds `flask run`, and Python files that call `app.run()`, in a Procfile, a"
            " Dockerfile, a compose file, a systemd unit or a start script."
        ),
        why=(
            "They start Werkzeug's development server. It is made for one developer: it starts a"
            " thread for every connection without limit, has no protection from slow clients, and"
            " its makers say not to use it in production."
        ),
        example='CMD ["flask", "run", "--host", "0.0.0.0"]\n',
        instead='CMD ["flasync", "serve", "--host", "0.0.0.0", "--workers", "4"]\n',
        fix_safety=(
            "The options of `flasync serve` are those of `flask run`, and the app is found in the"
            " same way. Code under `if __name__ == '__main__'` beside `app.run()` is not run by a"
            " server: move it to where the app is made."
        ),
        references=(
            ("Flask: deploying to production", "https://flask.palletsprojects.com/deploying/"),
        ),
    )

    invalid = (
        Case(
            "a Procfile",
            {
                "app.py": _APP,
                "Procfile": "release: flask db upgrade\nweb: flask run -p $PORT  # FSY502\n",
            },
        ),
        Case(
            "a Dockerfile that runs the file",
            {
                "app.py": _APP + _MAIN,
                "Dockerfile": """\
FROM python:3.13-slim
COPY . /srv
RUN pip install flask
CMD ["python", "/srv/app.py"]  # FSY502
""",
            },
        ),
        Case(
            "a Dockerfile with an entry point",
            {
                "app.py": _APP,
                "Dockerfile": """\
FROM python:3.13-slim
ENTRYPOINT ["python", "-m", "flask"]  # FSY502
CMD ["--app", "app", "run", "--host", "0.0.0.0"]
""",
            },
        ),
        Case(
            "a compose file",
            {
                "app.py": _APP,
                "docker-compose.yml": """\
services:
  web:
    build: .
    command: >
      sh -c "flask db upgrade &&
             flask --app app run"  # FSY502
  worker:
    command: celery -A app worker
""",
            },
        ),
        Case(
            "a systemd unit",
            {
                "app.py": _APP + _MAIN,
                "deploy/shop.service": """\
[Service]
User=shop
ExecStart=/srv/shop/.venv/bin/python -u app.py  # FSY502
""",
            },
        ),
        Case(
            "a start script",
            {
                "app.py": _APP,
                "docker-entrypoint.sh": """\
#!/bin/sh
set -e
flask db upgrade
exec flask run --host 0.0.0.0  # FSY502
""",
            },
        ),
    )
    valid = (
        Case(
            "other commands of Flask",
            {
                "app.py": _APP,
                "Procfile": "release: flask --app app init-db\nweb: gunicorn -k asgi app:app\n",
            },
        ),
        Case(
            "flasync serve",
            {"app.py": _APP, "Procfile": "web: flasync serve --app app --port $PORT\n"},
        ),
        Case(
            "a Dockerfile for development, and a stage for it",
            {
                "app.py": _APP,
                "Dockerfile.dev": "FROM python:3.13\nCMD flask run\n",
                "Dockerfile": """\
FROM python:3.13 AS base
FROM base AS development
CMD ["flask", "run", "--debug"]
FROM base AS final
CMD ["hypercorn", "app:app"]
""",
            },
        ),
        Case(
            "a file that is run and does not serve",
            {
                "app.py": _APP,
                "worker.py": 'print("working")\n',
                "Procfile": "worker: python worker.py\n",
            },
        ),
        Case(
            "app.run() for development only",
            {"app.py": _APP + _MAIN, "Procfile": "web: hypercorn app:app\n"},
        ),
        Case(
            "a comment and a text",
            {
                "app.py": _APP,
                "Dockerfile": """\
FROM python:3.13
# CMD ["flask", "run"]
RUN echo "flask run"
CMD ["uvicorn", "app:app"]
""",
            },
        ),
        Case(
            "a file that starts flasync's server",
            {
                "app.py": """\
from flasync import Flask

app = Flask(__name__)

if __name__ == "__main__":
    app.run(host="0.0.0.0")
""",
                "Procfile": "web: python app.py\n",
            },
        ),
        Case(
            "a local Procfile and a task of make",
            {
                "app.py": _APP,
                "Makefile": "run:\n\tflask run --debug\n",
                "Procfile.dev": "web: flask run --debug\n",
            },
        ),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return one finding for each command that starts the development server."""
        for file in read_production_files(program.sources.root):
            for command in find_server_commands(file):
                if self._starts_it(command, program):
                    yield self._build(command)

    def _starts_it(self, command: ServerCommand, program: Program) -> bool:
        if command.server is Server.SCRIPT:
            serves_itself = isinstance(program.app, Flask)
            return not serves_itself and any(find_started_runs(command, program.sources))
        return command.server is Server.FLASK

    def _build(self, command: ServerCommand) -> Finding:
        is_flask = command.server is Server.FLASK
        file = command.name.text
        script = f"python {file}" if file.endswith(".py") else f"python -m {file}"
        written = "flask run" if is_flask else script
        app = (command.get_option("-A", "--app") if is_flask else None) or ""
        app = f" --app {app}" if app else ""
        return Finding(
            code=self.code,
            rule=self.name,
            severity=self.severity,
            place=command.place,
            message=(f"`{written}` starts the development server, which is not made for visitors"),
            advice=(
                f"Start a real server: `flasync serve{app} --workers 4`, with the other options"
                " as they are (pip install 'flasync[serve]')."
            ),
            subject=written,
        )


def find_started_runs(command: ServerCommand, sources: Sources) -> Iterator[AppRun]:
    """Yield the calls of `app.run()` in the Python file that a command runs."""
    for path in _list_candidates(command, sources.root):
        source = sources.get(path) if path.is_file() else None
        if isinstance(source, SourceFile):
            yield from find_app_runs(source)
            return


def _list_candidates(command: ServerCommand, root: Path) -> Iterator[Path]:
    """Yield where the file may be that a command runs, whose folder is that of another machine."""
    name = command.name.text
    if not name.endswith(".py"):
        module = name.replace(".", "/")
        yield from (root / f"{module}.py", root / module / "__main__.py")
        return
    yield from (command.file.path.parent / name, root / name.lstrip("/"))
    parts = Path(name).parts
    yield from (root.joinpath(*parts[index:]) for index in range(1, len(parts)))
