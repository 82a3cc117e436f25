"""Apps that are served for a measurement: on a port that is theirs, and gone afterwards."""

import os
import signal
import urllib.request
from pathlib import Path

import pytest

from flasync.errors import AppNotFoundError, AppStartError
from flasync.toolkit.served_app import LOOPBACK, serve_app
from serving.processes import clean_environ

APP = """
import flask

app = flask.Flask(__name__)

@app.get("/")
def index():
    return __name__
"""

# Another program that takes the port which a server is told to take, before the server does.
THIEF = """
import socket
import sys

port = int(sys.orig_argv[sys.orig_argv.index("--port") + 1])
taken = socket.create_server(("127.0.0.1", port))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with two apps in it."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", clean_environ())
    return tmp_path


def get(url: str) -> str:
    """The text of the response to a GET."""
    with urllib.request.urlopen(url, timeout=60) as response:
        return str(response.read().decode())


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn", "granian"])
def test_apps_at_once(server: str) -> None:
    """Each of two apps is at its own URL, and their servers end with the context."""
    arguments = ["--server", server]
    with serve_app("first", arguments) as first, serve_app("second", arguments) as second:
        assert first.url.startswith(f"http://{LOOPBACK}:")
        assert (get(first.url), get(second.url)) == ("first", "second")
        assert first.url in first.read_log()
        first.check_alive()
    assert None not in (first.process.returncode, second.process.returncode)


def test_port_of_another_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program can take the port before the server has it, as nobody knows it by then."""
    (folder / "sitecustomize.py").write_text(THIEF)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with serve_app("first") as app:
        assert get(app.url) == "first"


def test_arguments() -> None:
    """Other options of `flasync serve` are passed on, and the URL is what it makes of them."""
    with serve_app("first", ["--cert", "adhoc"]) as app:
        assert app.url.startswith(f"https://{LOOPBACK}:")


def test_app_that_is_not_there() -> None:
    """What `flasync serve` refuses is told from what fails, with its log."""
    with pytest.raises(AppNotFoundError, match="ended with exit code 2") as info, serve_app("none"):
        pass
    assert "none" in info.value.__notes__[0]


def test_app_that_never_starts(folder: Path) -> None:
    """An import that hangs is given up, and its process is ended."""
    (folder / "hanging.py").write_text("import signal\nprint('begun')\nsignal.pause()\n")
    with (
        pytest.raises(AppStartError, match="did not open its port in time"),
        serve_app("hanging", start_timeout_s=1),
    ):
        pass


def test_server_that_dies() -> None:
    """A server that has ended is an error when it is asked for, with its exit code."""
    with serve_app("first") as app:
        app.process.kill()
        app.process.wait(60)
        with pytest.raises(AppStartError, match=f"ended with exit code -{signal.SIGKILL}"):
            app.check_alive()
