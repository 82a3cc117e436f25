"""`flasync verify`: the proof that requests overlap, its verdicts and exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chromium import open_browser
from flasync.cli import commands
from ports import reserve_port
from serving.processes import VERIFY, Running, clean_environ, finish, serving

CLEAN, FAILED_CHECK, USAGE, NOT_STARTED = range(4)

# Requests that pass on any machine, however busy it is, where they are answered at all.
PASSING = ("-n", "4", "--min-overlap", "1")

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

SHOP = """
import asyncio
import flask

app = flask.Flask(__name__)

@app.get("/books")
async def books():
    await asyncio.sleep(0.1)
    return "books"

@app.get("/books/<int:number>")
async def book(number):
    await asyncio.sleep(0.1)
    return str(number)

@app.get("/orders")
async def list_orders():
    await asyncio.sleep(0.1)
    allowed = flask.request.headers.get("X-Key") == "s3cret" and "session" in flask.request.cookies
    return "orders", 200 if allowed else 401

@app.post("/orders")
async def order():
    await asyncio.sleep(0.1)
    return "ordered", 201

@app.post("/reviews")
async def review():
    await asyncio.sleep(0.1)
    sent = flask.request.get_json() if flask.request.is_json else flask.request.form
    return "thanks", 201 if sent.get("stars") == "5" else 400
"""
LOGIN = """
def login(url):
    return {"Cookie": f"session={url}"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the app in it."""
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", clean_environ())
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Path:
    """The current directory, with a small shop in it."""
    (folder / "app.py").write_text(SHOP)
    (folder / "session.py").write_text(LOGIN)
    return folder


def verify(*arguments: str) -> Result:
    """The outcome of `flasync verify`, whose server is a process of its own."""
    previous = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(commands, ["verify", *arguments])
    finally:
        signal.signal(signal.SIGTERM, previous)


def count_bars(result: Result) -> int:
    """How many requests with an answer are drawn."""
    return sum(line.endswith(" 200") for line in result.stdout.splitlines())


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
    assert count_bars(result) == 8
    assert server_has_ended(folder)


def test_blocking_view_fails(folder: Path) -> None:
    """A view that holds the loop is found out: exit code 1."""
    result = verify("/blocking", "-n", "8")
    assert result.exit_code == FAILED_CHECK, result.output
    assert result.output.startswith("The requests do not overlap: 8 at once took")
    assert "`time.sleep` at app.py:25 held the event loop" in " ".join(result.output.split())


def test_small_pool_fails_as_overlapping_in_part(folder: Path) -> None:
    """Requests that a pool lets through two at a time are told from those one at a time."""
    result = verify("/pooled", "-n", "6")
    assert result.exit_code == FAILED_CHECK, result.output
    assert result.output.startswith("The requests overlap only in part: 6 at once took")


def test_fast_view_gets_no_verdict(folder: Path) -> None:
    """A view that takes no time cannot be judged, which is no failure."""
    # Not even requests that wait for nothing but the machine would all run at a time.
    result = verify("/fast", "-n", "100", "--min-overlap", "100")
    assert result.exit_code == CLEAN, result.output
    assert result.output.startswith("Not enough data: one request takes only")


def test_error_statuses_are_reported(folder: Path) -> None:
    """Requests that fail are no proof of anything: exit code 1 and the count."""
    result = verify("/absent", "-n", "3")
    assert result.exit_code == FAILED_CHECK
    assert re.match(r"No verdict: (\d+) of \1 requests: answered 404\.", result.output)


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
        (["/slow", "--max-p99", "300"], "Write 300ms, 1.5s or 2m"),
        (["/slow", "-H", "Accept"], "Write 'Name: value'"),
        (["/slow", "--bystander", "quick"], "Begin it with a slash: /quick"),
        (["/slow", "--output", "x.json"], "--output is for --json"),
        (["/slow", "--compare", "--compare-with", "main"], "exclude each other"),
        (["--method", "POST"], "--method POST needs a PATH"),
        (["/slow", "--data", "stars=5"], "--data needs a method that sends something, not GET"),
        (["--url", "http://127.0.0.1:1"], "--url needs a PATH"),
        (["/slow", "--url", "127.0.0.1:1"], "Write http://127.0.0.1:1"),
        (["/slow", "--url", "http://[::1"], "'http://[::1' is no address"),
        (["/slow", "--url", "http://shop:port"], "'http://shop:port' is no address"),
        (["/slow", "--url", "http://127.0.0.1:1", "--app", "app"], "--app and --url exclude"),
        (["/slow", "--url", "http://127.0.0.1:1", "--compare"], "--compare and --url exclude"),
        (["/slow", "--url", "http://127.0.0.1:1", "--browser"], "--browser and --url need"),
    ],
)
def test_wrong_usage(folder: Path, arguments: list[str], words: str) -> None:
    """Wrong arguments are refused before a server is started: exit code 2."""
    result = verify(*arguments)
    assert result.exit_code == USAGE
    assert words in result.output
    assert not (folder / "server.pid").exists()


@pytest.mark.parametrize("package", ["aiohttp", "psutil", "rich"])
def test_missing_extra(folder: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Without a package of the extra, the line is the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    result = verify("/fast")
    assert result.exit_code == USAGE
    assert f"needs {package}: pip install 'flasync[toolkit]'" in result.output


def test_missing_browser(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser, or what drives it, --browser is refused before the app is started."""
    monkeypatch.setenv("PATH", "")
    assert "set FLASYNC_CHROMIUM to the path of Chrome" in verify("/fast", "--browser").output
    monkeypatch.setitem(sys.modules, "playwright", None)
    result = verify("/fast", "--browser")
    assert result.exit_code == USAGE
    assert "needs playwright: pip install 'flasync[browser]'" in result.output
    assert not (folder / "server.pid").exists()


def test_serve_needs_nothing_of_the_toolkit(folder: Path) -> None:
    """The command starts without the toolkit's packages."""
    hide = "import sys\nsys.modules.update(dict.fromkeys(['aiohttp', 'psutil', 'rich']))\n"
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
    """Through a pipe too no line is wider than the terminal, and bars are of what it can print."""
    columns = 40
    ended = finish(
        [*VERIFY, "/waiting", *PASSING], folder, COLUMNS=str(columns), PYTHONIOENCODING="ascii"
    )
    assert ended.returncode == CLEAN, ended.stderr
    texts = [line for line in ended.stdout.splitlines() if not line.startswith("     flasync")]
    assert columns / 2 < max(map(len, texts)) <= columns
    assert "-----" in ended.stdout


def test_all_routes_without_arguments(shop: Path) -> None:
    """Without a path every GET route that can be asked for is verified; one that fails is told."""
    result = verify(*PASSING, "--json", "--html", "page.html")
    assert result.exit_code == FAILED_CHECK
    data = json.loads(result.stdout)
    outcomes = {
        route["path"]: route["measured"][-1]["judgement"]["outcome"] for route in data["routes"]
    }
    assert outcomes == {"/books": "overlaps", "/orders": "requests failed"}
    (failed,) = data["failed"]
    assert failed.startswith("GET /orders: No verdict: ")
    assert "/books" in (shop / "page.html").read_text()
    assert "GET /books: overlaps" in result.stderr


def test_routes_by_name_and_path(shop: Path) -> None:
    """--route finds routes by endpoint or rule; a path that needs arguments is given as a path."""
    result = verify("/books/3", "--route", "bo*s", *PASSING, "--json", "--output", "run.json")
    assert result.exit_code == CLEAN, result.output
    data = json.loads((shop / "run.json").read_text())
    assert [route["path"] for route in data["routes"]] == ["/books/3", "/books"]


def test_unknown_route(shop: Path) -> None:
    """A --route that is none is wrong usage, with what is close to it."""
    result = verify("--route", "/boks")
    assert result.exit_code == USAGE
    assert "Did you mean '/books'?" in result.output


def test_headers_and_login(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--header and the headers of --login go with every request, and into no report."""
    options = ["-H", "X-Key: s3cret", "--login", "session.py", "--json"]
    typed = ["verify", "/orders", *PASSING, *options]
    monkeypatch.setattr(sys, "argv", ["flasync", *typed])
    result = verify(*typed[1:])
    assert result.exit_code == CLEAN, result.output
    assert "'X-Key: …' --login session.py" in json.loads(result.stdout)["command"]
    assert "s3cret" not in result.output


def test_other_method(shop: Path) -> None:
    """--method asks in another way."""
    result = verify("/orders", *PASSING, "--method", "post")
    assert result.exit_code == CLEAN, result.output
    assert "POST /orders" in result.stdout
    assert sum(line.endswith(" 201") for line in result.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("stars=5", ()),
        ('{"stars": "5"}', ()),
        ("stars=5", ("-H", "content-type: application/x-www-form-urlencoded; charset=utf-8")),
    ],
)
def test_data(shop: Path, data: str, options: tuple[str, ...]) -> None:
    """--data is a form, JSON by its first character, or what a header says it is."""
    result = verify("/reviews", *PASSING, "--method", "POST", "--data", data, *options)
    assert result.exit_code == CLEAN, result.output
    assert sum(line.endswith(" 201") for line in result.stdout.splitlines()) == 4


def test_thresholds(shop: Path) -> None:
    """A route that overlaps fails all the same when it takes longer than it may."""
    result = verify("/books", *PASSING, "--max-p99", "1ms", "--max-bystander", "1m")
    assert result.exit_code == FAILED_CHECK
    assert result.stdout.startswith("The requests overlap")
    assert "Check failed: GET /books: the p99 is" in result.stdout
    assert "--max-bystander is" not in result.stdout


def test_server_that_already_runs(shop: Path) -> None:
    """--url asks a server that somebody else has started, and leaves it alone."""
    with serving(shop) as running:
        running.wait_for_answer("/books", "books")
        result = verify("/books", "--url", f"http://127.0.0.1:{running.port}", *PASSING)
        assert result.exit_code == CLEAN, result.output
        assert running.answers("/books", "books")
    assert "at the server, which tells no more" in result.stdout


def test_comparison_with_stock_flask(shop: Path) -> None:
    """--compare shows both stacks side by side, and that they answer alike."""
    result = verify("/books", *PASSING, "--compare")
    assert result.exit_code == CLEAN, result.output
    assert count_bars(result) == 8
    words = " ".join(result.stdout.split())
    assert "Concurrent requests" in words
    assert "The answers are the same: status, headers and body." in words


def test_comparison_with_a_revision(shop: Path) -> None:
    """--compare-with serves the app as git has it; no such revision is wrong usage."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["add", "app.py"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], cwd=shop, check=True)
    (shop / "app.py").write_text(SHOP.replace('return "books"', 'return "more books"'))
    result = verify("/books", *PASSING, "--compare-with", "HEAD")
    assert result.exit_code == CLEAN, result.output
    assert "The answers differ: body: " in " ".join(result.stdout.split())
    assert verify("/books", "--compare-with", "absent").exit_code == USAGE


def test_page_that_cannot_be_written(shop: Path) -> None:
    """A file that cannot be written is told as such."""
    result = verify("/books", "-n", "2", "--html", "absent/page.html")
    assert result.exit_code == FAILED_CHECK
    assert "absent/page.html" in result.stderr


def test_browser(shop: Path) -> None:
    """--browser says what headless Chromium has seen."""
    with open_browser():
        pass  # skips where there is none
    result = verify("/books", *PASSING, "--browser")
    assert result.exit_code == CLEAN, result.output
    assert "In a browser: flasync on uvicorn: fetches" in " ".join(result.stdout.split())
