"""What `flasync serve` refuses: one clear line each, with the right exit code."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flasync.cli import commands
from ports import reserve_port
from serving.processes import SERVE, finish

USAGE = 2
NOT_STARTED = 3

MODULES = {
    "fine": "import flask\napp = flask.Flask(__name__)\n",
    "two": "import flask\none = flask.Flask('one')\ntwo = flask.Flask('two')\n",
    "empty": "",
    "foreign": "app = object()\n",
    "raising": "import flask\n\ndef create_app():\n    raise RuntimeError('no\\ndatabase')\n",
    "wanting": "import flask\n\ndef create_app(name):\n    return flask.Flask(name)\n",
    "lacking": "import os\nimport no_such_package\n",
    "garbled": "import flask\napp = = 1\n",
    "leaving": "import sys\nsys.exit('SECRET_KEY is not set')\n",
    "misset": "import flask\napp = flask.Flask(__name__)\napp.config['GRACEFUL_TIMEOUT'] = 'x'\n",
    "unstartable": "import flasync\napp = flasync.Flask(__name__)\n\n"
    "@app.before_serving\nasync def fail():\n    raise RuntimeError('no database')\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory, with `MODULES` in it; afterwards they are imported no more."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in ("FLASK_APP", "FLASK_DEBUG", "FLASK_RUN_FROM_CLI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def serve(*arguments: str) -> Result:
    """The outcome of `flasync serve`, in this process."""
    return CliRunner().invoke(commands, ["serve", *arguments])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--app", "absent"), USAGE, ["Could not import 'absent'"]),
        (("--app", "fine:absent"), USAGE, ["Failed to find attribute 'absent' in 'fine'"]),
        (("--app", "fine:("), USAGE, ["Failed to parse '('"]),
        (("--app", "empty"), USAGE, ["Failed to find Flask application or factory in module"]),
        (("--app", "two"), USAGE, ["Detected multiple Flask applications", "'two:name'"]),
        (("--app", "foreign:app"), USAGE, ["A valid Flask application was not obtained"]),
        (("--app", "wanting:create_app()"), USAGE, ["could not be called with the specified"]),
        (("--app", "raising"), NOT_STARTED, ["RuntimeError: no database (raising.py:4)"]),
        (("--app", "raising:create_app()"), NOT_STARTED, ["(raising.py:4)", "--debug"]),
        (("--app", "lacking"), NOT_STARTED, ["'no_such_package' (lacking.py:2)"]),
        (("--app", "garbled"), NOT_STARTED, ["SyntaxError", "garbled.py:2"]),
        (("--app", "leaving"), NOT_STARTED, ["SystemExit: SECRET_KEY is not set (leaving.py:2)"]),
        (("--app", "misset"), USAGE, ["app.config['GRACEFUL_TIMEOUT'] is 'x'"]),
        (("--app", "fine", "--reload", "--workers", "2"), USAGE, ["--reload works with one"]),
        (("--app", "fine", "--debugger", "--workers", "2"), USAGE, ["--debugger works with one"]),
        (("--app", "fine", "--server", "tomcat"), USAGE, ["'tomcat' is not one of"]),
        (("--app", "fine", "--cert", "cert.pem"), USAGE, ["--cert and --key go together"]),
        (("--app", "fine", "--cert", "a.pem", "--key", "b.pem"), USAGE, ["'a.pem' does not exist"]),
        (("--app", "fine", "--host", "unix:app.sock"), USAGE, ["uvicorn --uds"]),
        (("--app", "fine", "--host", "192.0.2.1"), NOT_STARTED, ["Cannot listen on '192.0.2.1'"]),
        (("--app", "fine", "--env-file", "absent"), USAGE, ["'absent' does not exist"]),
    ],
)
def test_refusal_is_one_line(
    folder: Path, arguments: tuple[str, ...], code: int, words: list[str]
) -> None:
    """What cannot work is refused with its exit code and one line that says what to do."""
    result = serve("--port", "0", *arguments)
    lines = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert (result.exit_code, len(lines)) == (code, 1), result.output
    for word in words:
        assert word in lines[0]
    if "Usage: " not in result.output:  # click's own errors have a line on usage before.
        assert result.output.splitlines() == lines


def test_folder_without_an_app(tmp_path: Path) -> None:
    """Where nothing names an app and there is no wsgi.py or app.py, the line says what to name."""
    ended = finish(SERVE, tmp_path)
    assert ended.returncode == USAGE
    assert ended.stderr.startswith("Error: Could not locate a Flask application. Use the '--app'")
    assert ended.stderr.count("\n") == 1


def test_debug_shows_the_traceback(folder: Path) -> None:
    """With `--debug` the traceback of an app that did not start goes before the line."""
    result = serve("--app", "raising", "--debug", "--no-reload", "--no-debugger")
    assert result.exit_code == NOT_STARTED
    assert "Traceback (most recent call last)" in result.output
    assert result.output.splitlines()[-1].startswith("Error: The app 'raising' did not start")


@pytest.mark.parametrize("arguments", [("--workers", "2"), ("--reload",), ("--server", "granian")])
def test_app_is_probed_where_other_processes_serve(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    """An app that does not start ends the command before any worker is started."""
    result = serve("--app", "raising", "--port", "0", *arguments)
    assert result.exit_code == NOT_STARTED
    assert "RuntimeError: no database (raising.py:4)" in result.output


def test_app_that_kills_the_probe_is_named(folder: Path) -> None:
    """An app whose import ends the process at once is reported with the exit code."""
    (folder / "dying.py").write_text("import os\nos._exit(7)\n")
    result = serve("--app", "dying", "--port", "0", "--workers", "2")
    assert result.exit_code == NOT_STARTED
    assert "ended its process" in result.output
    assert "exit code 7" in result.output


def test_port_in_use(folder: Path) -> None:
    """A taken port is one line that names another, and exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = serve("--app", "fine", "--port", str(port))
    assert result.exit_code == NOT_STARTED
    assert f"Port {port} of '127.0.0.1' is in use" in result.output
    assert f"--port {port + 1}" in result.output


TAKING = """
import flask, socket, sys
app = flask.Flask(__name__)
taker = socket.socket()
taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
taker.bind(("127.0.0.1", int(sys.argv[-1])))
taker.listen()
"""


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_port_taken_while_the_app_starts(folder: Path, server: str) -> None:
    """A port that another program takes while the app is imported is the same clear refusal."""
    (folder / "taking.py").write_text(TAKING)
    port = reserve_port()
    arguments = ["--app", "taking", "--server", server, "--port", str(port)]
    ended = finish([*SERVE, *arguments], folder)
    assert ended.returncode == NOT_STARTED, ended.stderr
    assert f"Error: Port {port} of '127.0.0.1' is in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_port_taken_before_granian_binds_it(folder: Path) -> None:
    """Granian binds by itself, and a port that is taken by then is an AddressError too."""
    (folder / "main.py").write_text(
        "import sys\nfrom flasync.serving import granian_server, settings, sockets\n"
        "sock = sockets.bind_socket('127.0.0.1', int(sys.argv[-1]))\nimport taking\n"
        "granian_server.run(settings.ServerSettings(), sock)\n"
    )
    (folder / "taking.py").write_text(TAKING)
    ended = finish([sys.executable, "main.py", str(reserve_port())], folder)
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("flasync.errors.AddressError: Granian cannot listen on '127.0.0.1'")


@pytest.mark.parametrize(
    ("server", "command"),
    [
        ("uvicorn", "pip install 'flasync[serve]'"),
        ("hypercorn", "pip install hypercorn"),
        ("granian", "pip install granian"),
    ],
)
def test_missing_server_is_named_with_its_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, server: str, command: str
) -> None:
    """A server that is not installed is refused with the pip command that installs it."""
    monkeypatch.setitem(sys.modules, server, None)
    result = serve("--app", "fine", "--server", server)
    assert result.exit_code == USAGE
    assert command in result.output


def test_no_server_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any server, the command names the extra that brings one."""
    for server in ("uvicorn", "hypercorn", "granian"):
        monkeypatch.setitem(sys.modules, server, None)
    result = serve("--app", "fine")
    assert result.exit_code == USAGE
    assert "pip install 'flasync[serve]'" in result.output


def test_http2_without_zttp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP/2 on a uvicorn that has none is refused, and servers that have it are named."""
    monkeypatch.setitem(sys.modules, "zttp", None)
    result = serve("--app", "fine", "--server", "uvicorn", "--http2")
    assert result.exit_code == USAGE
    assert "--http2 cannot work with --server uvicorn" in result.output
    assert "hypercorn or granian" in result.output


@pytest.mark.parametrize(
    ("server", "workers"),
    [("uvicorn", "1"), ("uvicorn", "2"), ("hypercorn", "1"), ("hypercorn", "2"), ("granian", "2")],
)
def test_failing_startup_hook_ends_with_3(folder: Path, server: str, workers: str) -> None:
    """A `before_serving` hook that raises ends the server with exit code 3 and its error."""
    arguments = ["--app", "unstartable", "--port", "0", "--server", server, "--workers", workers]
    ended = finish([*SERVE, *arguments], folder)
    assert ended.returncode == NOT_STARTED
    assert "RuntimeError: no database" in ended.stdout + ended.stderr
