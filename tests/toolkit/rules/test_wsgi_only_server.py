"""The line to paste in place of a command that serves by WSGI alone."""

from pathlib import Path

import pytest

from flasync.toolkit.finding import Finding, Severity
from flasync.toolkit.rules import load_rules
from flasync.toolkit.scanning import build_program


def find(root: Path, files: dict[str, str]) -> list[Finding]:
    """What the rule finds in those files."""
    for name, contents in files.items():
        (root / name).write_text(contents)
    return list(load_rules()["FSY503"].find(build_program(None, root)))


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("gunicorn wsgi:app", "gunicorn -k asgi wsgi:app"),
        ("gunicorn -k gevent -w 4 wsgi:app", "gunicorn -k asgi -w 4 wsgi:app"),
        (
            "exec gunicorn --worker-class=gthread --threads 8 --bind 0.0.0.0:$PORT 'shop:create()'",
            "gunicorn -k asgi --bind 0.0.0.0:$PORT 'shop:create()'",
        ),
        ("gunicorn --threads=8 wsgi:app --reload", "gunicorn -k asgi wsgi:app --reload"),
    ],
)
def test_line_for_gunicorn(tmp_path: Path, command: str, line: str) -> None:
    """The advice has the same command with gunicorn's ASGI worker, options and quotes kept."""
    (finding,) = find(tmp_path, {"Procfile": f"web: {command}\n"})
    assert f"`{line}`" in finding.advice
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("waitress-serve --port=80 wsgi:app", "flasync serve --app wsgi:app --workers 4"),
        ("uwsgi --ini uwsgi.ini", "flasync serve --workers 4"),
        ("gunicorn wsgi:app", "flasync serve --app wsgi:app"),
    ],
)
def test_line_for_the_unchanged_app(tmp_path: Path, command: str, line: str) -> None:
    """The advice has the command that serves the app without an edit."""
    (finding,) = find(tmp_path, {"Procfile": f"web: {command}\n"})
    assert f"`{line}`" in finding.advice


def test_worker_class_of_the_command_wins(tmp_path: Path) -> None:
    """What the command says of the worker counts before gunicorn's configuration."""
    config = {"gunicorn.conf.py": 'worker_class = "asgi"\n'}
    (finding,) = find(tmp_path, {"Procfile": "web: gunicorn -k sync wsgi:app\n", **config})
    assert finding.subject == "gunicorn's sync worker"


def test_configuration_that_is_no_python(tmp_path: Path) -> None:
    """A configuration that cannot be read leaves the command to be judged by itself."""
    files = {"Procfile": "web: gunicorn wsgi:app\n", "gunicorn.conf.py": "worker_class =\n"}
    (finding,) = find(tmp_path, files)
    assert finding.place.file == "Procfile"
