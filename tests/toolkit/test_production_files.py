"""Reading the files that say how an app is run, and the commands in them."""

from pathlib import Path

import pytest

from flasync.toolkit.production_files import ProductionFile, read_production_files
from flasync.toolkit.server_command import Server, ServerCommand, find_server_commands


def read(root: Path, files: dict[str, str]) -> list[ProductionFile]:
    """Write files and return what is read of them."""
    for name, contents in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents)
    return list(read_production_files(root))


def find(root: Path, files: dict[str, str]) -> list[ServerCommand]:
    """Write files and return the commands in them that start an app."""
    return [command for file in read(root, files) for command in find_server_commands(file)]


def list_words(root: Path, name: str, contents: str) -> list[list[str]]:
    """Return the words of each command in a file."""
    (file,) = read(root, {name: contents})
    return [[word.text for word in command] for command in file.commands]


@pytest.mark.parametrize(
    "name",
    [
        "Procfile",
        "Dockerfile",
        "docker/web.Dockerfile",
        "Dockerfile.prod",
        "Containerfile",
        "compose.yaml",
        "docker-compose.prod.yml",
        "deploy/shop.service",
        "supervisord.conf",
        "uwsgi.ini",
        "entrypoint.sh",
        "docker-entrypoint",
        "deploy/restart.sh",
        "render.yaml",
        ".env.production",
    ],
)
def test_files_for_production(tmp_path: Path, name: str) -> None:
    """A file that says how the app is run is taken by its name."""
    assert [file.text.name for file in read(tmp_path, {name: ""})] == [name]


@pytest.mark.parametrize(
    "name",
    [
        "Procfile.dev",
        "Dockerfile.test",
        "docker/dev/Dockerfile",
        "tests/Dockerfile",
        "docker-compose.override.yml",
        "docker-compose.local.yml",
        ".devcontainer/Dockerfile",
        "node_modules/tool/Dockerfile",
        "start.py",
        "scripts/lint.sh",
        "Makefile",
        ".env",
        ".flaskenv",
    ],
)
def test_other_files(tmp_path: Path, name: str) -> None:
    """A file for development or tests, or about something else, is left out."""
    assert read(tmp_path, {name: ""}) == []


def test_text_that_is_none(tmp_path: Path) -> None:
    """A file of that name that is no text is passed over."""
    (tmp_path / "Procfile").write_bytes(b"web: \xff\xfe")
    assert list(read_production_files(tmp_path)) == []


def test_shell_text(tmp_path: Path) -> None:
    """Commands end at operators and lines; quotes, continued lines and comments are understood."""
    script = """\
#!/bin/sh
export A="b c" && cd '/srv/shop'  # flask run
exec gunicorn \\
    --bind "0.0.0.0:$PORT" app:create\\ app | tee log
"""
    assert list_words(tmp_path, "start.sh", script) == [
        ["export", "A=b c"],
        ["cd", "/srv/shop"],
        ["exec", "gunicorn", "--bind", "0.0.0.0:$PORT", "app:create app"],
        ["tee", "log"],
    ]


@pytest.mark.parametrize(
    "value",
    [
        "flask db upgrade",
        "'flask db upgrade'",
        '["flask", "db", "upgrade"]',
        "[flask, db,\n              upgrade]",
        "\n      - flask\n      - db\n      - 'upgrade'",
        "\n    - flask\n    - db\n    - upgrade",
        ">-\n      flask db\n      upgrade",
        "|\n      flask db upgrade",
        "flask db\n      upgrade",
        'sh -c "flask db upgrade"',
        '["bash", "-lc", "flask db upgrade"]',
    ],
)
def test_yaml_notations(tmp_path: Path, value: str) -> None:
    """A command of a compose file is the same in each of YAML's notations."""
    contents = f"services:\n  web:\n    command: {value}\n    image: shop # flask run\n"
    assert list_words(tmp_path, "compose.yml", contents) == [["flask", "db", "upgrade"]]


def test_dockerfile_forms(tmp_path: Path) -> None:
    """The command of a Dockerfile is the entry point's further arguments, in each stage."""
    contents = """\
FROM python:3.13 AS web
RUN flask run
ENTRYPOINT ["/entry.sh"]
CMD ["flask", "run"]
FROM python:3.13 AS test
CMD pytest
FROM web AS admin
CMD exec flask \\
    run
"""
    assert list_words(tmp_path, "Dockerfile", contents) == [
        ["/entry.sh", "flask", "run"],
        ["exec", "flask", "run"],
    ]


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ("flask run", Server.FLASK),
        ("flask --app shop --debug run", Server.FLASK),
        ("python -m flask run", Server.FLASK),
        ("python3.13 -u app.py", Server.SCRIPT),
        ("FLASK_DEBUG=1 exec gunicorn app:app", Server.GUNICORN),
        ("/srv/.venv/bin/gunicorn app:app", Server.GUNICORN),
        ("poetry run gunicorn app:app", Server.GUNICORN),
        ("dumb-init -- newrelic-admin run-program gunicorn app:app", Server.GUNICORN),
        ("uwsgi --ini uwsgi.ini", Server.UWSGI),
        ("python -m waitress app:app", Server.WAITRESS),
        ("flasync serve", Server.FLASYNC),
    ],
)
def test_servers(tmp_path: Path, line: str, server: Server) -> None:
    """A server is recognised below wrappers, paths and variables."""
    assert [command.server for command in find(tmp_path, {"start.sh": line})] == [server]


@pytest.mark.parametrize(
    "line",
    [
        "flask db upgrade",
        "flask --app run shell",
        "pip install gunicorn",
        "uv add gunicorn",
        "pkill gunicorn",
        "echo flask run",
        "flasync verify /slow",
        "celery -A app worker",
        "python -c 'print(1)'",
        "python",
    ],
)
def test_no_servers(tmp_path: Path, line: str) -> None:
    """What only names a server starts none."""
    assert [
        command.server
        for command in find(tmp_path, {"start.sh": line})
        if command.server is not Server.SCRIPT
    ] == []


def test_options(tmp_path: Path) -> None:
    """Options are read in each of their notations, and the last one counts."""
    line = 'gunicorn -w4 -k sync --worker-class=asgi -b "0.0.0.0:80" "shop:create_app()" --reload'
    (command,) = find(tmp_path, {"start.sh": line})
    assert command.get_option("-w", "--workers") == "4"
    assert command.get_option("-k", "--worker-class") == "asgi"
    assert command.get_option("-b") == "0.0.0.0:80"
    assert command.get_option("-c", "--config") is None
    assert command.target == "shop:create_app()"
    assert command.has_flag("--reload")
    assert not command.has_flag("--daemon")


def test_places(tmp_path: Path) -> None:
    """A command stands where its server is named, to the column."""
    contents = (
        "services:\n  web:\n    command: >\n      sh -c 'flask db upgrade &&\n      flask run'\n"
    )
    (command,) = find(tmp_path, {"compose.yml": contents})
    assert (command.place.file, command.place.line, command.place.column) == ("compose.yml", 5, 7)


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("Dockerfile", "FROM x\nENV FLASK_DEBUG=1\n"),
        ("Dockerfile", "FROM x\nENV FLASK_DEBUG 1\n"),
        ("Dockerfile", "FROM x\nENV A=b FLASK_DEBUG=1\n"),
        ("compose.yml", "environment:\n  FLASK_DEBUG: 1\n"),
        ("compose.yml", "environment:\n  - FLASK_DEBUG=1\n"),
        ("compose.yml", "web:\n  environment: {A: b, FLASK_DEBUG: 1}\n"),
        ("compose.yml", 'environment:\n  - "FLASK_DEBUG=1"\n'),
        ("shop.service", "[Service]\nEnvironment=FLASK_DEBUG=1\n"),
        ("start.sh", "\nexport FLASK_DEBUG='1'\n"),
    ],
)
def test_variables(tmp_path: Path, name: str, contents: str) -> None:
    """A variable's value is found in the notation of each format, with its line."""
    (file,) = read(tmp_path, {name: contents})
    ((value, offset),) = file.find_variable("FLASK_DEBUG")
    assert value == "1"
    assert file.text.locate(offset).line == 2


@pytest.mark.parametrize(
    "line",
    [
        "# ENV FLASK_DEBUG=1",
        "ENV MY_FLASK_DEBUG=1",
        "ENV FLASK_DEBUG=$DEBUG",
        "ENV DEBUG=${FLASK_DEBUG:-1}",
        "ENV FLASK_DEBUGGER=1",
        "RUN test $FLASK_DEBUG = 1",
    ],
)
def test_no_variables(tmp_path: Path, line: str) -> None:
    """Comments, other names and values that are not known are no settings."""
    (file,) = read(tmp_path, {"Dockerfile": f"FROM x\n{line}\n"})
    assert list(file.find_variable("FLASK_DEBUG")) == []
