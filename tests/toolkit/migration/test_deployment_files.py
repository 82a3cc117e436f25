"""What starts the server: rewritten to the letter, or shown with the reason."""

import importlib.metadata
import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import flask
import pytest
from tests.toolkit.migration.edits import apply_edits

import flasync
from flasync.toolkit.migration import deployment_files
from flasync.toolkit.migration.deployment_files import plan_deployment
from flasync.toolkit.migration.plan import Safety, TextChange
from flasync.toolkit.scanning import build_program

BIN = Path(sys.executable).parent


def plan(root: Path, files: dict[str, str], app: flask.Flask | None = None) -> list[TextChange]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(plan_deployment(build_program(app or flask.Flask("shop"), root)))


def rewrite(root: Path, file: str, text: str) -> str:
    """Return a file after all changes that are not only shown."""
    changes = [change for change in plan(root, {file: text}) if change.safety is Safety.UNSAFE]
    return apply_edits(text, [change.edit for change in changes])


# Files as a diff shows them: what begins with + is added, with - is gone.
CHANGED = {
    "gunicorn": (
        "Procfile",
        """
        - web: gunicorn -w 4 --bind 0.0.0.0:$PORT wsgi:app
        + web: gunicorn -k asgi -w 4 --bind 0.0.0.0:$PORT wsgi:app
          worker: celery -A shop worker
        """,
    ),
    "gunicorn's worker classes": (
        "Procfile",
        """
        - web: exec python -m gunicorn -kgevent wsgi:app
        - api: FOO=1 gunicorn --worker-class=gthread wsgi:app
        - own: gunicorn -k 'sync' wsgi:app
        + web: exec python -m gunicorn -kasgi wsgi:app
        + api: FOO=1 gunicorn --worker-class=asgi wsgi:app
        + own: gunicorn -k 'asgi' wsgi:app
        """,
    ),
    "Dockerfile": (
        "Dockerfile",
        """
          FROM python:3.13-slim
          RUN pip install gunicorn
        - CMD ["gunicorn", "-b", "0.0.0.0:80", "wsgi:create_app()"]
        + CMD ["gunicorn", "-k", "asgi", "-b", "0.0.0.0:80", "wsgi:create_app()"]
        """,
    ),
    "entry point and command": (
        "Dockerfile",
        """
          FROM python:3.13-slim
        - ENTRYPOINT ["gunicorn", "--worker-class", "gevent"]
        + ENTRYPOINT ["gunicorn", "--worker-class", "asgi"]
          CMD ["wsgi:app"]
        """,
    ),
    "shell in a Dockerfile": (
        "Dockerfile",
        """
          FROM python:3.13-slim
        - CMD ["sh", "-c", "exec gunicorn -b :$PORT wsgi:app"]
        + CMD ["sh", "-c", "exec gunicorn -k asgi -b :$PORT wsgi:app"]
        """,
    ),
    "compose, a list": (
        "docker-compose.yml",
        """
          services:
            web:
              command:
                - gunicorn  # the server
        +       - -k
        +       - asgi
                - wsgi:app
        """,
    ),
    "compose, one line": (
        "compose.yaml",
        """
          services:
            web:
        -     command: gunicorn wsgi:app
        +     command: gunicorn -k asgi wsgi:app
        """,
    ),
    "systemd": (
        "deploy/shop.service",
        """
          [Service]
        - ExecStart=/srv/venv/bin/gunicorn --workers 3 \\
        + ExecStart=/srv/venv/bin/gunicorn -k asgi --workers 3 \\
              wsgi:app
        """,
    ),
    "Supervisor": (
        "deploy/supervisor.conf",
        """
          [program:shop]
        - command=/srv/venv/bin/gunicorn wsgi:app
        + command=/srv/venv/bin/gunicorn -k asgi wsgi:app
        """,
    ),
    "shell script": (
        "docker-entrypoint.sh",
        """
          #!/bin/sh
          set -e
          flask db upgrade
        - exec gunicorn "$MODULE:app"
        + exec gunicorn -k asgi "$MODULE:app"
        """,
    ),
    "gunicorn's configuration": (
        "gunicorn.conf.py",
        """
          workers = 4
        - worker_class = "gthread"  # é
        + worker_class = "asgi"  # é
        """,
    ),
    "Waitress": (
        "Procfile",
        """
        - web: waitress-serve --port=$PORT --threads 8 --call wsgi:create_app
        + web: flasync serve --port $PORT --app wsgi:create_app --host 0.0.0.0
        """,
    ),
    "Waitress by its path": (
        "deploy/shop.service",
        """
          [Service]
        - ExecStart=/srv/venv/bin/waitress-serve --host=127.0.0.1 --port=80 wsgi:app
        + ExecStart=/srv/venv/bin/flasync serve --host 127.0.0.1 --port 80 --app wsgi:app
        """,
    ),
    "Waitress in a list": (
        "docker-compose.yml",
        """
          services:
            web:
              command:
        -       - waitress-serve
        -       - --port=80
        -       - wsgi:app
        +       - flasync
        +       - serve
        +       - --port
        +       - "80"
        +       - --app
        +       - wsgi:app
        +       - --host
        +       - "0.0.0.0"
              ports: ["80:80"]
        """,
    ),
    "flask run": (
        "Procfile",
        """
        - web: flask --app shop run --host=0.0.0.0 -p $PORT
        + web: flasync serve --app shop --host 0.0.0.0 --port $PORT
        """,
    ),
    "flask run in a Dockerfile": (
        "Dockerfile",
        """
          FROM python:3.13-slim
          ENV FLASK_APP=shop
        - CMD ["flask", "run", "--host", "0.0.0.0"]
        + CMD ["flasync", "serve", "--host", "0.0.0.0"]
        """,
    ),
}


@pytest.mark.parametrize(("file", "diff"), CHANGED.values(), ids=CHANGED)
def test_changed(tmp_path: Path, file: str, diff: str) -> None:
    """Workers, bind and what else has an equal stay; the rest of the file stays to the letter."""
    lines = textwrap.dedent(diff).strip("\n").split("\n")
    before = "".join(line[2:] + "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[2:] + "\n" for line in lines if not line.startswith("-"))
    assert rewrite(tmp_path, file, before) == after
    assert rewrite(tmp_path, file, after) == after


SHOWN = {
    "uWSGI": ("Procfile", "web: uwsgi --http :80 --module wsgi:app\n", "flasync serve"),
    "uWSGI's settings": ("uwsgi.ini", "[uwsgi]\nmodule = wsgi:app\n", "flasync serve"),
    "Apache": ("deploy/shop.conf", "WSGIScriptAlias / /srv/wsgi.py\n", "flasync serve"),
    "Waitress behind a socket": (
        "Procfile",
        "web: waitress-serve --unix-socket=/run/shop.sock wsgi:app\n",
        "flasync serve",
    ),
    "debug mode": ("Procfile", "web: flask run --debug\n", "flasync serve"),
    "words that need quotes": (
        "Procfile",
        "web: waitress-serve --port=80 --call \"wsgi:create('a b')\"\n",
        "flasync serve",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "text", "advice"), SHOWN.values(), ids=SHOWN)
def test_only_shown(tmp_path: Path, file: str, text: str, advice: str) -> None:
    """What cannot be said to another server in the same way is left, with what to use instead."""
    [change] = plan(tmp_path, {file: text})
    assert change.safety is Safety.SHOWN
    assert advice in change.reason
    assert apply_edits(text, [change.edit]) == text


@pytest.mark.parametrize(
    ("command", "word", "reason"),
    [
        ("gunicorn --threads 8 wsgi:app", "8", "WORKER_THREADS"),
        ("gunicorn -t 30 wsgi:app", "30", "no more a request"),
        ("gunicorn --timeout=30 wsgi:app", "--timeout=30", "no more a request"),
    ],
)
def test_options_with_another_meaning(tmp_path: Path, command: str, word: str, reason: str) -> None:
    """An option that the ASGI worker takes otherwise is pointed at, and not touched."""
    changes = plan(tmp_path, {"Procfile": f"web: {command}\n"})
    [shown] = [change for change in changes if change.safety is Safety.SHOWN]
    assert shown.edit.start == (1, len("web: ") + command.index(word) + 1)
    assert reason in shown.reason


def test_threads_in_the_configuration(tmp_path: Path) -> None:
    """Settings of gunicorn's file that mean something else are pointed at, too."""
    text = 'worker_class = "gthread"\nthreads = 8\ntimeout = 30\n'
    changes = plan(tmp_path, {"gunicorn.conf.py": text})
    assert [(change.edit.start[0], change.safety) for change in changes] == [
        (1, Safety.UNSAFE), (2, Safety.SHOWN), (3, Safety.SHOWN),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "web: gunicorn -k asgi wsgi:app\n",
        "web: gunicorn -k uvicorn_worker.UvicornWorker wsgi:app\n",
        "web: uvicorn wsgi:app\napi: flasync serve --app wsgi\n",
        "web: pip install gunicorn\n",
        "web: python app.py\n",
    ],
)
def test_left_alone(tmp_path: Path, text: str) -> None:
    """What is an ASGI server, or none, is left."""
    assert plan(tmp_path, {"Procfile": text}) == []


def test_script_that_runs_itself(tmp_path: Path) -> None:
    """A script with `app.run()` needs nothing: the method starts an ASGI server by then."""
    source = 'import flask\napp = flask.Flask("shop")\nif __name__ == "__main__":\n    app.run()\n'
    assert plan(tmp_path, {"app.py": source, "Procfile": "web: python app.py\n"}) == []


def test_old_gunicorn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gunicorn without an ASGI worker must be raised first: the change is only shown.

    Only the version is a fake: two gunicorns cannot be installed at once.
    """
    version = importlib.metadata.version
    monkeypatch.setattr(
        deployment_files.importlib.metadata,
        "version",
        lambda name: "23.0.0" if name == "gunicorn" else version(name),
    )
    [change] = plan(tmp_path, {"Procfile": "web: gunicorn wsgi:app\n"})
    assert change.safety is Safety.SHOWN
    assert "gunicorn 23.0.0" in change.reason
    assert "24 or newer" in change.reason


@pytest.mark.parametrize(
    ("file", "text", "safety"),
    [
        ("requirements.txt", "gunicorn==20.1.0  # why\n", Safety.SHOWN),
        ("pyproject.toml", '[tool.poetry.dependencies]\ngunicorn = "^23"\n', Safety.SHOWN),
        ("requirements.txt", "gunicorn~=25.0\n", Safety.UNSAFE),
        ("requirements.txt", "gunicorn>=20\n", Safety.UNSAFE),
    ],
)
def test_pinned_gunicorn(tmp_path: Path, file: str, text: str, safety: Safety) -> None:
    """What the project pins counts more than what is installed here."""
    [change] = plan(tmp_path, {"Procfile": "web: gunicorn wsgi:app\n", file: text})
    assert change.safety is safety


def test_middleware_around_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is served but is no Flask object cannot be called by an ASGI server."""
    (tmp_path / "shop_wsgi.py").write_text(
        "import flask\nfrom werkzeug.middleware.proxy_fix import ProxyFix\n"
        "flask_app = flask.Flask('shop')\napp = ProxyFix(flask_app)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("shop_wsgi")
    [change] = plan(tmp_path, {"Procfile": "web: gunicorn shop_wsgi:app\n"}, module.flask_app)
    assert change.safety is Safety.SHOWN
    assert "ProxyFix" in change.reason
    assert "app.wsgi_app" in change.reason


def test_class_of_another_library(tmp_path: Path) -> None:
    """An app that cannot become a flasync.Flask has no ASGI worker call it directly."""
    apiflask = pytest.importorskip("apiflask")
    [change] = plan(tmp_path, {"Procfile": "web: gunicorn wsgi:app\n"}, apiflask.APIFlask("shop"))
    assert change.safety is Safety.SHOWN
    assert "flasync serve" in change.reason


def test_wrapper_of_the_app(tmp_path: Path) -> None:
    """An app of another library's class is served by the name of what wraps it, if that has one."""
    apiflask = pytest.importorskip("apiflask")
    text = 'web: gunicorn -w 2 "shop:app" --name shop\napi: gunicorn other:app\n'
    (tmp_path / "Procfile").write_text(text)
    program = build_program(apiflask.APIFlask("shop"), tmp_path)
    changes = plan_deployment(program, served="shop:asgi_app")
    edits = [change.edit for change in changes if change.safety is Safety.UNSAFE]
    assert apply_edits(text, edits) == (
        'web: gunicorn -k asgi -w 2 "shop:asgi_app" --name shop\napi: gunicorn other:app\n'
    )
    assert [change.safety for change in changes if change.edit.start[0] == 2] == [Safety.SHOWN]


def test_gunicorn_takes_it(tmp_path: Path) -> None:
    """gunicorn itself accepts the new command, factories included."""
    (tmp_path / "wsgi.py").write_text(
        "import flasync\n\ndef create_app():\n    return flasync.Flask('shop')\n"
    )
    text = 'web: gunicorn -w 2 "wsgi:create_app()"\n'
    command = rewrite(tmp_path, "Procfile", text).removeprefix("web: ").strip()
    process = subprocess.run(
        [BIN / "gunicorn", "--check-config", *shlex.split(command)[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(flasync.__file__).parent.parent)},
    )
    assert process.returncode == 0, process.stderr
