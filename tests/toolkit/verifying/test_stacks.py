"""What is asked: real servers, each in a process of its own, gone afterwards."""

import http.client
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flasync.errors import AppNotFoundError, AppStartError
from flasync.toolkit.verifying import wsgi_target
from flasync.toolkit.verifying.bystander import PATH as BYSTANDER_PATH
from flasync.toolkit.verifying.stacks import Stack, serve_flasync, serve_stock
from serving.processes import clean_environ

APP = """
import flask

app = flask.Flask(__name__)

@app.get("/server")
def server():
    return flask.request.environ.get("SERVER_SOFTWARE", "")

@app.get("/busy")
def busy():
    import time
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    return "done"

@app.get("/dying")
def dying():
    import os, signal
    os.killpg(0, signal.SIGKILL)
"""

# Takes a package away from the processes that are started.
HIDING = "import sys\nsys.modules['gunicorn'] = None\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, which is not the current directory."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", clean_environ())
    return tmp_path / "shop"


def get(stack: Stack, path: str) -> tuple[int, str]:
    """The status and the text of a response."""
    connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("server", ["uvicorn", "granian"])
def test_flasync_with_a_witness(folder: Path, server: str) -> None:
    """The app is served by the server that is named, and tells its routes."""
    with serve_flasync("app", folder, server) as stack:
        assert stack.name == f"flasync on {server}"
        assert get(stack, BYSTANDER_PATH)[0] == 204
        assert stack.evidence is not None
        app = stack.evidence.read_app(time.monotonic() + 60)
        assert app is not None
        assert {route.path for route in app.routes} == {"/server", "/busy", "/dying"}
        stack.check_alive()


def test_stock_flask_on_gunicorn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process has the threads, and the bystander; its processor time is known."""
    monkeypatch.setenv("WEB_CONCURRENCY", "3")  # which is gunicorn's default
    with serve_stock("app", folder) as stack:
        assert stack.app is not None
        assert stack.app.read_log().count("Booting worker") == 1
        assert stack.name == "Flask on gunicorn, 40 threads"
        assert get(stack, "/server")[1].startswith("gunicorn/")
        assert get(stack, BYSTANDER_PATH)[0] == 204
        before_ms = stack.read_cpu_ms()
        assert get(stack, "/busy") == (200, "done")
        after_ms = stack.read_cpu_ms()
    assert before_ms is not None
    assert after_ms is not None
    assert after_ms - before_ms > 50  # of 100, in a child of the process, to the next tick
    assert stack.read_cpu_ms() is None


def test_stock_flask_without_gunicorn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where gunicorn is not installed, Werkzeug's own server serves the app."""
    (folder / "sitecustomize.py").write_text(HIDING)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setitem(sys.modules, "gunicorn", None)
    with serve_stock("app", folder) as stack:
        assert stack.name == wsgi_target.name_stack()
        assert "Werkzeug" in stack.name
        assert get(stack, "/server")[1].startswith("Werkzeug/")
        assert get(stack, BYSTANDER_PATH)[0] == 204


def test_stock_flask_that_does_not_start(folder: Path) -> None:
    """An app that fails, or is not there, is told apart, with the log."""
    with pytest.raises(AppNotFoundError, match="flask run") as missing, serve_stock("no", folder):
        pass
    (folder / "app.py").write_text("1 / 0\n")
    with pytest.raises(AppStartError, match="flask run") as failed, serve_stock("app", folder):
        pass
    assert "no" in missing.value.__notes__[0]
    assert "ZeroDivisionError" in failed.value.__notes__[0]


def test_a_stack_that_dies(folder: Path) -> None:
    """A server that has ended is an error when it is asked for."""
    with serve_stock("app", folder) as stack:
        with pytest.raises((OSError, http.client.HTTPException)):
            get(stack, "/dying")
        with pytest.raises(AppStartError, match="ended with exit code"):
            stack.check_alive()


def test_somebody_elses_server() -> None:
    """Of a server that we do not run, nothing is known, and nothing is watched."""
    stack = Stack("elsewhere", "http://127.0.0.1:9")
    stack.check_alive()
    assert stack.read_cpu_ms() is None
