"""`flasync verify`: the proof that requests overlap, its verdicts and exit codes."""

import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flasync.cli import commands
from ports import reserve_port
from serving.processes import VERIFY, Running, clean_environ, finish

CLEAN, FAILED_CHECK, USAGE, NOT_STARTED = range(4)

# The pauses are long beside the work around them, by which a busy machine delays each request.
APP = """
import asyncio
import os
import pathlib
import threading
import time
import flask

app = flask.Flask(__name__)
pathlib.Path("server.pid").write_text(str(os.getpid()))
pool = threading.BoundedSemaphore(2)

@app.get("/waiting")
async def waiting():
    await asyncio.sleep(0.15)
    return "done"

@app.get("/sync")
def sync():
    time.sleep(0.15)
    return "done"

@app.get("/blocking")
async def blocking():
    time.sleep(0.2)
    return "done"

@app.get("/pooled")
def pooled():
    with pool:
        time.sleep(0.3)
    return "done"

@app.get("/fast")
async def fast():
    return "done"

@app.get("/error")
async def error():
    raise ValueError

@app.get("/dying")
async def dying():
    os._exit(9)

@app.get("/endless")
async def endless():
    pathlib.Path("begun").touch()
    await asyncio.Event().wait()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the app in it."""
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", clean_environ())
    return tmp_path


def verify(*arguments: str) -> Result:
    """The outcome of `flasync verify`, whose server is a process of its own."""
    previous = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(commands, ["verify", *arguments])
    finally:
        signal.signal(signal.SIGTERM, previous)


def server_has_ended(folder: Path) -> bool:
    """Whether the process that imported the app is gone."""
    try:
        os.kill(int((folder / "server.pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("path", ["/waiting", "/sync"])
def test_overlapping_requests_pass(folder: Path, path: str) -> None:
    """Requests of an async or a threaded view overlap: exit code 0, and N take as long as one."""
    # Two of eight at a time are twice what a view gives that holds the loop, on any machine.
    result = verify(path, "-n", "8", "--min-overlap", "2")
    assert result.exit_code == CLEAN, result.output
    assert result.output.startswith("The requests overlap: 8 at once took")
    assert result.output.count(" 200") == 8
    assert server_has_ended(folder)


def test_blocking_view_fails(folder: Path) -> None:
    """A view that holds the loop is found out: exit code 1."""
    result = verify("/blocking", "-n", "8")
    assert result.exit_code == FAILED_CHECK, result.output
    assert result.output.startswith("The requests do not overlap: 8 at once took")


def test_small_pool_fails_as_overlapping_in_part(folder: Path) -> None:
    """Requests that a pool lets through two at a time are told from those one at a time."""
    result = verify("/pooled", "-n", "6")
    assert result.exit_code == FAILED_CHECK, result.output
    assert result.output.startswith("The requests overlap only in part: 6 at once took")


def test_fast_view_gets_no_verdict(folder: Path) -> None:
    """A view that takes no time cannot be judged, which is no failure."""
    # So many that to send them takes longer than any single one is delayed.
    result = verify("/fast", "-n", "100")
    assert result.exit_code == CLEAN, result.output
    assert result.output.startswith("Not enough data: one request takes only")


def test_error_statuses_are_reported(folder: Path) -> None:
    """Requests that fail are no proof of anything: exit code 1 and the count."""
    result = verify("/absent", "-n", "3")
    assert result.exit_code == FAILED_CHECK
    assert result.output.startswith("No verdict: 6 of 6 requests: answered 404.")


def test_app_that_does_not_start(folder: Path) -> None:
    """An app that does not start: exit code 3, with the server's log."""
    (folder / "app.py").write_text("import flask\n\n1 / 0\n")
    result = verify("/")
    assert result.exit_code == NOT_STARTED
    assert "ZeroDivisionError: division by zero (app.py:3)" in result.output
    assert result.output.splitlines()[-1].startswith("Error: The server of the app ended with")


def test_debug_shows_the_traceback_of_the_app(folder: Path) -> None:
    """`--debug` reaches the served app: its whole traceback is in the log that is shown."""
    (folder / "app.py").write_text("import flask\n\n1 / 0\n")
    result = verify("/", "--debug")
    assert result.exit_code == NOT_STARTED
    assert "Traceback (most recent call last)" in result.output


def test_server_that_dies_while_measured(folder: Path) -> None:
    """A server that ends under the requests is no verdict either: exit code 3."""
    result = verify("/dying", "-n", "2")
    assert result.exit_code == NOT_STARTED
    assert "ended with exit code 9" in result.output


def test_no_app(folder: Path) -> None:
    """No app is wrong usage: exit code 2, with the line of `flasync serve`."""
    (folder / "app.py").unlink()
    result = verify("/")
    assert result.exit_code == USAGE
    assert "Could not locate a Flask application" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["slow"], "Begin it with a slash: /slow"),
        (["/slow", "-n", "1"], "'--requests'"),
        (["/slow", "-n", "4", "--min-overlap", "5"], "5 of 4 requests cannot run at a time"),
        ([], "Missing argument 'PATH'"),
    ],
)
def test_wrong_usage(folder: Path, arguments: list[str], words: str) -> None:
    """Wrong arguments are refused before a server is started: exit code 2."""
    result = verify(*arguments)
    assert result.exit_code == USAGE
    assert words in result.output
    assert not (folder / "server.pid").exists()


@pytest.mark.parametrize("package", ["httpx", "rich"])
def test_missing_extra(folder: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Without a package of the extra, the line is the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    result = verify("/fast")
    assert result.exit_code == USAGE
    assert f"needs {package}: pip install 'flasync[toolkit]'" in result.output


def test_serve_needs_nothing_of_the_toolkit(folder: Path) -> None:
    """The command starts without the toolkit's packages."""
    hide = "import sys\nsys.modules.update(dict.fromkeys(['httpx', 'rich']))\n"
    ended = finish(
        [sys.executable, "-c", f"{hide}from flasync.cli import main\nmain()", "--help"], folder
    )
    assert (ended.returncode, ended.stderr) == (CLEAN, "")


def test_sigterm_ends_the_server_too(folder: Path) -> None:
    """A verify that is stopped under way leaves no server behind."""
    with Running([*VERIFY, "/endless"], folder, reserve_port()) as running:
        running.wait_until((folder / "begun").exists, "the view has begun")
        assert running.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    assert server_has_ended(folder)


def test_report_fits_the_terminal(folder: Path) -> None:
    """No line is wider than the terminal, also when the output is a pipe."""
    columns = 40
    ended = finish([*VERIFY, "/error", "-n", "2"], folder, COLUMNS=str(columns))
    assert max(len(line) for line in ended.stdout.splitlines()) <= columns
    assert len(ended.stdout.splitlines()[-1]) > columns / 2


def test_pipe_that_cannot_print_blocks(folder: Path) -> None:
    """Where the encoding has no block characters, the bars are made of ASCII."""
    ended = finish([*VERIFY, "/error", "-n", "2"], folder, PYTHONIOENCODING="ascii")
    assert ended.returncode == FAILED_CHECK, ended.stderr
    assert "###" in ended.stdout
