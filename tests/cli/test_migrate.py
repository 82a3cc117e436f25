"""`flasync migrate`, on small projects with their own tests, under git, and through a terminal."""

import contextlib
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flasync.cli import commands

MIGRATE = [sys.executable, "-m", "flasync.cli", "migrate"]
PYTEST = f"{shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider"
CHECK = f"{shlex.quote(sys.executable)} check.py"

UNDONE = 1
USAGE = 2
NOT_STARTED = 3
DEADLINE_S = 60

SHOP = """\
import time

import flask

app = flask.Flask(__name__)
stock = flask.Blueprint("stock", __name__, url_prefix="/stock")


@app.get("/slow")
def slow():
    time.sleep(0.01)  # as the supplier does
    return "slow"


@stock.get("/wait")
def wait():
    time.sleep(0.01)
    return "wait"


@app.get("/quick")
def quick():
    return "quick"


app.register_blueprint(stock)
"""
TESTS = """\
import pytest

from shop import app


@pytest.mark.parametrize("path", ["/slow", "/stock/wait", "/quick"])
def test_answers(path):
    assert app.test_client().get(path).status_code == 200
"""
MOVED = SHOP.replace("import time\n", "import asyncio\n").replace(
    "time.sleep", "await asyncio.sleep"
)
MOVED = MOVED.replace("def slow", "async def slow").replace("def wait", "async def wait")
MOVED = MOVED.replace("import flask\n", "import flask\nimport flasync\n")
MOVED = MOVED.replace("flask.Flask(", "flasync.Flask(")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a project of one module and its tests."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "test_shop.py").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take longer than the tests
    for name in ("FLASK_APP", "FLASK_DEBUG", "FLASK_RUN_FROM_CLI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, all of it committed."""
    (folder / "requirements.txt").write_text("flask\n")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.com")
    run_git("init", "-q")
    run_git("add", ".")
    run_git("commit", "-qm", "Begin")
    return folder


def run_git(*arguments: str) -> str:
    """What git prints, run in the current directory."""
    return subprocess.run(
        ["git", *arguments], check=True, capture_output=True, text=True, timeout=DEADLINE_S
    ).stdout


def migrate(*arguments: str, app: str = "shop") -> Result:
    """The outcome of `flasync migrate`, in this process."""
    sys.modules.pop(app, None)
    try:
        return CliRunner().invoke(
            commands, ["migrate", "--app", app, *arguments], catch_exceptions=False
        )
    finally:
        sys.modules.pop(app, None)


def join_words(result: Result) -> str:
    """What was printed, however its lines were broken."""
    return " ".join(result.stdout.split())


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Return once a condition holds, unless the process ends first."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert process.poll() is None, "it ended too early"
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_plan_changes_nothing(folder: Path) -> None:
    """Without --write the steps and the changes are printed, and every file stays as it is."""
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    result = migrate()
    assert result.exit_code == 0
    words = join_words(result)
    assert "2 of 4 routes of shop can move onto the event loop; 2 stay as they are." in words
    assert "planned Move GET /slow onto the event loop" in words
    assert "+ await asyncio.sleep(0.01) # as the supplier does" in words
    assert "Nothing was changed" in words
    assert "flasync migrate --app shop --write --install" in words
    assert "\x1b" not in result.stdout
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_write_and_a_second_run(folder: Path) -> None:
    """--write makes the changes, and a second run finds nothing to do."""
    (folder / "requirements.txt").write_text("flask\n")
    result = migrate("--write")
    assert result.exit_code == 0
    assert "2 of 4 routes of shop moved onto the event loop" in join_words(result)
    assert (folder / "shop.py").read_text() == MOVED
    assert (folder / "test_shop.py").read_text() == TESTS
    assert (folder / "requirements.txt").read_text() == "flask\nflasync\n"
    files = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    again = migrate("--write")
    assert again.exit_code == 0
    words = join_words(again)
    assert "0 of 4 routes" in words
    assert "2 routes run there already" in words
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == files


def test_moved_project_passes_its_tests(folder: Path) -> None:
    """--test runs the project's tests before and after, and says how many pass still."""
    result = migrate("--write", "--test", PYTEST)
    assert result.exit_code == 0
    assert "all of the 3 tests that passed still pass" in join_words(result)
    assert "proved Move GET /slow" in join_words(result)
    assert (folder / "shop.py").read_text() == MOVED


def test_route_comes_back_plainer(folder: Path) -> None:
    """A view that a test wants to be a plain function is moved with @on_loop instead."""
    (folder / "test_shop.py").write_text(
        TESTS + "\n\ndef test_plain():\n    view = app.view_functions['slow']\n"
        "    assert view.__code__.co_flags & 0x80 == 0\n"
    )
    result = migrate("--write", "--test", PYTEST, "--route", "/slow")
    words = join_words(result)
    assert result.exit_code == 0, words
    assert "undone Move GET /slow onto the event loop It turned test_shop.py::test_plain" in words
    assert "@on_loop slow. As a coroutine it turned a test red." in words
    text = (folder / "shop.py").read_text()
    assert "@flasync.on_loop\ndef slow():\n    flasync.await_(asyncio.sleep(0.01))" in text


def test_what_turns_a_test_red_is_undone(folder: Path) -> None:
    """A route that cannot move without a red test stays, byte for byte; the others move."""
    (folder / "check.py").write_text("assert 'time.sleep(0.01)  # as' in open('shop.py').read()\n")
    result = migrate("--write", "--test", CHECK)
    words = join_words(result)
    assert result.exit_code == UNDONE, words
    assert "check.py red: exit code 1: AssertionError" in words
    start, end = SHOP.index('@app.get("/slow")'), SHOP.index("@stock")
    text = (folder / "shop.py").read_text()
    assert SHOP[start:end] in text
    assert "async def wait():\n    await asyncio.sleep(0.01)\n" in text


def test_tests_that_prove_nothing(folder: Path) -> None:
    """Tests of which none passes are refused before anything is written."""
    (folder / "test_shop.py").write_text("def test_red():\n    assert 'red' == 'green'\n")
    result = migrate("--write", "--test", PYTEST)
    assert result.exit_code == USAGE
    assert "No test passes" in result.stderr
    assert "FSE412" in result.stderr
    assert (folder / "shop.py").read_text() == SHOP


def test_bisect_runs_the_tests_less_often(folder: Path) -> None:
    """With --bisect the tests run once before and once after all steps, when nothing turns red."""
    (folder / "conftest.py").write_text("open('runs', 'a').write('.')\n")
    result = migrate("--write", "--bisect", "--test", PYTEST)
    assert result.exit_code == 0
    assert (folder / "runs").read_text() == ".."
    assert (folder / "shop.py").read_text() == MOVED


def test_bisect_finds_the_culprit(folder: Path) -> None:
    """With --bisect a step that turns a test red is undone alone."""
    (folder / "check.py").write_text("assert '\\ndef slow():' in open('shop.py').read()\n")
    assert migrate("--write", "--bisect", "--test", CHECK).exit_code == 0
    text = (folder / "shop.py").read_text()
    assert "@flasync.on_loop\ndef slow():" in text
    assert "async def wait():" in text


@pytest.mark.parametrize(
    ("options", "moved"),
    [
        (["--route", "/slow"], ["GET /slow"]),
        (["--route", "slow", "--route", "/stock/wait"], ["GET /slow", "GET /stock/wait"]),
        (["--route", "/quick"], ["GET /quick"]),
        (["--blueprint", "stock"], ["GET /stock/wait"]),
        ([], ["GET /slow", "GET /stock/wait"]),
        (["--all-ready"], ["GET /quick", "GET /slow", "GET /stock/wait"]),
    ],
)
def test_choice_of_routes(folder: Path, options: list[str], moved: list[str]) -> None:
    """Only what is named moves, and what is named moves though nothing waits on its way."""
    result = migrate("--json", *options)
    assert sorted(json.loads(result.stdout)["moved"]) == moved


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--route", "/slwo"], "no route of shop is '/slwo'"),
        (["--blueprint", "stok"], "There are: stock"),
        (["--all-ready", "--route", "/slow"], "leave out --route"),
        (["--test", "pytest"], "--test is about changes that are made: add --write"),
        (["--commit"], "--commit is about changes that are made: add --write"),
        (["--interactive"], "--interactive is about changes that are made: add --write"),
        (["--write", "--bisect"], "--bisect is about tests"),
        (["--http", "curl"], "'curl' is not one of"),
    ],
)
def test_wrong_usage(folder: Path, options: list[str], words: str) -> None:
    """What cannot be meant is refused in a sentence that says what to do instead."""
    result = migrate(*options)
    assert result.exit_code == USAGE
    assert words in " ".join(result.stderr.split())
    assert (folder / "shop.py").read_text() == SHOP


def test_app_that_does_not_start(folder: Path) -> None:
    """An app that cannot be imported is not migrated."""
    (folder / "broken.py").write_text("raise RuntimeError('no database')\n")
    result = migrate(app="broken")
    assert result.exit_code == NOT_STARTED
    assert "no database" in result.stderr


def test_json(folder: Path) -> None:
    """--json prints the steps with their changes, what is left and the diff, and nothing else."""
    report = json.loads(migrate("--json").stdout)
    assert report["version"] == 1
    assert sorted(report["moved"]) == ["GET /slow", "GET /stock/wait"]
    assert {outcome["status"] for outcome in report["outcomes"]} == {"planned"}
    assert [left["route"] for left in report["left"]] == [
        "GET /quick",
        "GET /static/<path:filename>",
    ]
    changes = [change for item in report["outcomes"] for change in item["stage"]["changes"]]
    assert {change["way"] for change in changes if "way" in change} == {"rewrite"}
    patch = subprocess.run(
        ["git", "apply", "-"], input=report["diff"].encode(), cwd=folder, check=False, timeout=60
    )
    assert patch.returncode == 0
    assert (folder / "shop.py").read_text() == MOVED


def test_html(folder: Path) -> None:
    """--html writes a page, says so on stderr, and prints no report beside it."""
    result = migrate("--html", "plan.html")
    page = (folder / "plan.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "GET /stock/wait" in page
    assert result.stderr == "Wrote plan.html: open it in a browser.\n"
    assert result.stdout == ""


def test_a_commit_each(repository: Path) -> None:
    """--commit makes one commit a step, with the reasons, and each has what its step changes."""
    result = migrate("--write", "--commit")
    assert result.exit_code == 0, result.output
    subjects = run_git("log", "--reverse", "--format=%s").splitlines()
    assert subjects == [
        "Begin",
        "Make the app a flasync.Flask, which serves ASGI as well as WSGI",
        "Move GET /slow onto the event loop",
        "Move GET /stock/wait onto the event loop",
        "Declare what the new code needs",
    ]
    assert "time.sleep: it has an async twin." in run_git("log", "-1", "--format=%b", "HEAD~1")
    half = run_git("show", "HEAD~2:shop.py")
    assert half.count("async def") == 1
    compile(half, "shop.py", "exec")
    assert run_git("status", "--porcelain") == ""


def test_dirty_tree(repository: Path) -> None:
    """Changes that git does not have are not mixed with those of a migration, unless asked for."""
    (repository / "test_shop.py").write_text(f"{TESTS}# mine\n")
    result = migrate("--write")
    assert result.exit_code == USAGE
    assert "test_shop.py" in result.stderr
    assert "--allow-dirty" in result.stderr
    assert (repository / "shop.py").read_text() == SHOP
    assert migrate().exit_code == 0
    assert migrate("--write", "--allow-dirty").exit_code == 0
    assert (repository / "shop.py").read_text() == MOVED
    assert (repository / "test_shop.py").read_text() == f"{TESTS}# mine\n"


@pytest.mark.parametrize("ignored", ["", "shop.py\n"], ids=["untracked", "ignored"])
def test_file_that_git_does_not_know(repository: Path, ignored: str) -> None:
    """What git could not bring back is changed on request only; other files may lie about."""
    run_git("rm", "--cached", "shop.py")
    (repository / ".gitignore").write_text(ignored)
    run_git("add", ".gitignore")
    run_git("commit", "-q", "-m", "Forget it")
    (repository / "notes.py").write_text("")
    result = migrate("--write")
    assert result.exit_code == USAGE
    assert "1 file" in result.stderr
    assert "shop.py" in result.stderr
    assert "notes.py" not in result.stderr
    assert "--allow-dirty" in result.stderr
    assert (repository / "shop.py").read_text() == SHOP
    assert migrate("--write", "--allow-dirty").exit_code == 0
    assert (repository / "shop.py").read_text() == MOVED


def test_interactive(folder: Path) -> None:
    """On a terminal each step is shown and asked about; what is declined stays as it is."""
    shown = answer_questions(["yes", "no", "yes"])
    assert "Make the app a flasync.Flask" in shown
    assert "+    await asyncio.sleep(0.01)" in shown
    assert "1 of 4 routes of shop moved onto the event loop" in " ".join(shown.split())
    text = (folder / "shop.py").read_text()
    assert "\ndef slow():\n    time.sleep(0.01)" in text
    assert "async def wait():" in text


def test_interactive_quit(folder: Path) -> None:
    """`quit` leaves out everything from here on, and the report follows."""
    shown = answer_questions(["yes", "quit"])
    assert "0 of 4 routes of shop moved" in " ".join(shown.split())
    assert "time.sleep" in (folder / "shop.py").read_text()


def answer_questions(answers: list[str]) -> str:
    """What a migration shows on a terminal on which its questions are answered."""
    ours, its = pty.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, ours)
        process = subprocess.Popen(
            [*MIGRATE, "--app", "shop", "--write", "--interactive"],
            stdin=its,
            stdout=its,
            stderr=its,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
        )
        stack.callback(process.wait, DEADLINE_S)
        stack.callback(process.kill)
        os.close(its)
        shown = ""
        waiting = iter(answers)
        for text in read_terminal(ours):
            shown += text
            if shown.count("Do this?") > shown.count("\nanswered\n") and shown.endswith("[yes]: "):
                shown += "\nanswered\n"
                os.write(ours, next(waiting).encode() + b"\n")
        assert process.wait(DEADLINE_S) == 0, shown
    assert next(waiting, None) is None, shown
    return shown.replace("\r", "")


def read_terminal(ours: int) -> Iterator[str]:
    """What is written to a terminal, until nobody holds its other end."""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # Linux says EIO when the other end is closed
            return
        yield data.decode()


WAITING = """

def test_waits():
    import pathlib, time
    if "async def slow" in pathlib.Path("shop.py").read_text():
        pathlib.Path("reached").touch()
        time.sleep(600)
"""


@pytest.mark.parametrize(
    "sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda sign: sign.name
)
def test_interrupted(folder: Path, sign: signal.Signals) -> None:
    """Ended in the middle of a step, it leaves whole files: of before the step, or of after it."""
    (folder / "test_shop.py").write_text(TESTS + WAITING)
    process = subprocess.Popen(
        [*MIGRATE, "--app", "shop", "--write", "--route", "/slow", "--test", PYTEST],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until((folder / "reached").exists, process)
        process.send_signal(sign)
        _, stderr = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        end_stray_tests(folder)
    text = (folder / "shop.py").read_text()
    compile(text, "shop.py", "exec")
    assert not list(folder.glob("*.tmp")) and not list(folder.glob(".*flasync*"))
    if sign is not signal.SIGKILL:
        assert process.returncode == (1 if sign is signal.SIGINT else 143)
        assert "What was under way is undone; 1 step before it stand" in stderr.decode()
        assert text == SHOP.replace("import flask\n", "import flask\nimport flasync\n").replace(
            "flask.Flask(", "flasync.Flask("
        )
    else:
        assert "async def slow():\n    await asyncio.sleep(0.01)" in text
    (folder / "test_shop.py").write_text(TESTS)
    assert migrate("--write", "--route", "/slow").exit_code == 0
    assert "async def slow():\n    await asyncio.sleep(0.01)" in (folder / "shop.py").read_text()


def end_stray_tests(folder: Path) -> None:
    """End the tests that a killed migration has left running in a folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == folder and int(entry.name) != os.getpid():
                    os.kill(int(entry.name), signal.SIGKILL)
