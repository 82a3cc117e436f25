"""FSY503: a server that speaks WSGI only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.production_files import ProductionFile, read_production_files
from flasync.toolkit.rules.rule import Case, Page, Program, Rule
from flasync.toolkit.server_command import Server, ServerCommand, find_server_commands

_APP = """\
import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    return "done"
"""
_WSGI_WORKERS = frozenset({"sync", "gthread", "gevent", "eventlet", "tornado"})
_WSGI_ONLY = frozenset({Server.UWSGI, Server.WAITRESS, Server.MOD_WSGI})
_CONFIG = "gunicorn.conf.py"
# The settings that hand an app to uWSGI and to Apache's mod_wsgi.
_SETTINGS = re.compile(
    r"^[^\S\n]*(?:(?P<uwsgi>module|wsgi-file|mount)[^\S\n]*=[^\S\n]*(?P<app>\S+)"
    r"|(?P<apache>WSGIScriptAlias)\b)",
    re.MULTILINE,
)


class WsgiOnlyServer(Rule):
    """Finds servers on which async views do not overlap."""

    code = "FSY503"
    name = "wsgi-only-server"
    severity = Severity.NOTE

    page = Page(
        what=(
            "Finds commands and settings that serve the app by WSGI alone: gunicorn without an"
            " ASGI worker, uWSGI, Waitress, Apache's mod_wsgi."
        ),
        why=(
            "The app works there, before and after the migration: that is the way back. But under"
            " WSGI every request holds a worker or a thread to its end, an awaiting async view"
            " included, so nothing is gained until the server speaks ASGI."
        ),
        example="web: gunicorn --worker-class gthread --threads 8 wsgi:app\n",
        instead="web: gunicorn -k asgi wsgi:app\n",
        fix_safety=(
            "gunicorn's ASGI worker, uvicorn, Hypercorn and Granian take a `flasync.Flask` or"
            " `flasync.ASGI(app)`; `flasync serve` takes the unchanged Flask app too. Size the"
            " workers by processor cores: threads for sync views are set by WORKER_THREADS."
        ),
        references=(("gunicorn: settings", "https://docs.gunicorn.org/en/stable/settings.html"),),
    )

    invalid = (
        Case("gunicorn", {"app.py": _APP, "Procfile": "web: gunicorn app:app  # FSY503\n"}),
        Case(
            "gunicorn with threads, in a Dockerfile",
            {
                "app.py": _APP,
                "Dockerfile": """\
FROM python:3.13-slim
ENTRYPOINT ["gunicorn", "--worker-class", "gthread"]  # FSY503
CMD ["--threads", "8", "app:app"]
""",
            },
        ),
        Case(
            "a worker class of gunicorn's configuration",
            {
                "app.py": _APP,
                "Procfile": "web: gunicorn app:app\n",
                "gunicorn.conf.py": 'bind = "0.0.0.0:80"\nworker_class = "gevent"  # FSY503\n',
            },
        ),
        Case(
            "the configuration of a gunicorn that is started elsewhere",
            {"app.py": _APP, "gunicorn.conf.py": 'worker_class = "gthread"  # FSY503\n'},
        ),
        Case(
            "uWSGI",
            {
                "app.py": _APP,
                "uwsgi.ini": "[uwsgi]\nmodule = app:app  # FSY503\nprocesses = 4\n",
            },
        ),
        Case(
            "Waitress, in a compose file",
            {
                "app.py": _APP,
                "docker-compose.yml": """\
services:
  web:
    command:
      - waitress-serve  # FSY503
      - --port=80
      - app:app
""",
            },
        ),
        Case(
            "Apache",
            {
                "app.py": _APP,
                "deploy/shop.conf": """\
<VirtualHost *:80>
    WSGIScriptAlias / /srv/shop/wsgi.py  # FSY503
</VirtualHost>
""",
            },
        ),
    )
    valid = (
        Case(
            "gunicorn with its ASGI worker",
            {"app.py": _APP, "Procfile": "web: gunicorn -k asgi app:app\n"},
        ),
        Case(
            "gunicorn with uvicorn's worker",
            {
                "app.py": _APP,
                "deploy/shop.service": """\
[Service]
ExecStart=/srv/bin/gunicorn --worker-class=uvicorn_worker.UvicornWorker app:app
""",
            },
        ),
        Case(
            "an ASGI worker in gunicorn's configuration",
            {
                "app.py": _APP,
                "Procfile": "web: gunicorn app:app\n",
                "gunicorn.conf.py": 'worker_class = "asgi"\n',
            },
        ),
        Case(
            "a worker class that is not known here",
            {
                "app.py": _APP,
                "Procfile": "web: gunicorn -c gunicorn.conf.py app:app\n",
                "gunicorn.conf.py": 'import os\n\nworker_class = os.environ["WORKER_CLASS"]\n',
            },
        ),
        Case(
            "ASGI servers",
            {
                "app.py": _APP,
                "Procfile": """\
web: uvicorn app:app
api: hypercorn app:app
admin: granian --interface asgi app:app
shop: flasync serve --app app
""",
            },
        ),
        Case(
            "a server that is only installed or stopped",
            {
                "app.py": _APP,
                "Dockerfile": """\
FROM python:3.13
RUN pip install gunicorn uwsgi
CMD ["hypercorn", "app:app"]
""",
                "deploy/stop.sh": "pkill gunicorn\n",
            },
        ),
        Case(
            "a configuration of something else",
            {"app.py": _APP, "alembic.ini": "[alembic]\nscript_location = migrations\n"},
        ),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return one finding for each command or setting that serves the app by WSGI alone."""
        root = program.sources.root
        found = list(self._judge_config(root / _CONFIG, root))
        for file in read_production_files(root):
            for command in find_server_commands(file):
                found += self._judge_command(command, root)
            found += self._judge_settings(file)
        return {finding.place: finding for finding in found}.values()

    def _judge_command(self, command: ServerCommand, root: Path) -> Iterator[Finding]:
        if command.server in _WSGI_ONLY:
            advice = _advise(command.target, command.server.value)
            yield self._build(command.place, command.server.value, advice)
        if command.server is not Server.GUNICORN:
            return
        worker = command.get_option("-k", "--worker-class")
        config = _find_config(command, root) if worker is None else None
        if config is not None and _read_worker_class(config) is not None:
            yield from self._judge_config(config, root)
        elif worker is None or worker in _WSGI_WORKERS:
            subject = f"gunicorn's {worker or 'sync'} worker"
            yield self._build(command.place, subject, _advise_gunicorn(command))

    def _judge_config(self, path: Path, root: Path) -> Iterator[Finding]:
        worker, line = _read_worker_class(path) or ("", 0)
        if worker in _WSGI_WORKERS:
            place = Place(path.relative_to(root).as_posix(), line)
            advice = 'Set worker_class = "asgi" and make the app a flasync.Flask.'
            yield self._build(place, f"gunicorn's {worker} worker", advice)

    def _judge_settings(self, file: ProductionFile) -> Iterator[Finding]:
        """Yield the settings of uWSGI and of Apache in a file."""
        contents = file.text.contents
        for match in _SETTINGS.finditer(contents):
            if match["apache"]:
                subject, target = "mod_wsgi", ""
            elif "[uwsgi]" in contents:
                subject, target = "uWSGI", match["app"]
            else:
                continue
            offset = match.start("apache") if match["apache"] else match.start("uwsgi")
            yield self._build(file.text.locate(offset), subject, _advise(target, subject))

    def _build(self, place: Place, subject: str, advice: str) -> Finding:
        return Finding(
            code=self.code,
            rule=self.name,
            severity=self.severity,
            place=place,
            message=(
                f"{subject} speaks WSGI: the app works there, but each request holds a worker"
                " while it waits, in async views too"
            ),
            advice=advice,
            subject=subject,
        )


def _advise(target: str, server: str) -> str:
    app = f" --app {target}" if re.fullmatch(r"[\w.]+(:\S+)?", target) else ""
    return f"Serve it with `flasync serve{app} --workers 4` in place of {server}."


def _advise_gunicorn(command: ServerCommand) -> str:
    """Return the same command with gunicorn's ASGI worker, to paste."""
    kept: list[str] = []
    skips = False
    for word in command.words:
        name, _, value = word.text.partition("=")
        if skips:
            skips = False
        elif name in {"-k", "--worker-class", "--threads"}:
            skips = not value
        else:
            kept.append(word.raw)
    line = " ".join(["gunicorn", "-k asgi", *kept])
    app = f" --app {command.target}" if command.target else ""
    return (
        f"Make the app a flasync.Flask and start it with `{line}`,"
        f" or leave it and use `flasync serve{app}`."
    )


def _find_config(command: ServerCommand, root: Path) -> Path | None:
    """Return the configuration file that a gunicorn reads, if it is here."""
    name = (command.get_option("-c", "--config") or _CONFIG).removeprefix("file:")
    paths = (root / name.lstrip("/"), command.file.path.parent / name, root / Path(name).name)
    return next((path for path in paths if path.is_file() and path.is_relative_to(root)), None)


def _read_worker_class(path: Path) -> tuple[str, int] | None:
    """Return the worker class that a configuration of gunicorn sets and its line, or None.

    A value that is computed is returned as written: it is none of the known classes.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None  # not there, or FSY001 tells of it
    for node in tree.body:
        if isinstance(node, ast.Assign) and "worker_class" in map(ast.unparse, node.targets):
            value = node.value
            text = value.value if isinstance(value, ast.Constant) else ast.unparse(value)
            return str(text), node.lineno
    return None
