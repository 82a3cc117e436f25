"""`flasync trace`: its output, exit codes and options, and what its page says."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from flasync.cli import commands
from flasync.cli.trace import trace as trace_command
from flasync.toolkit.tracing.trace import Kind
from flasync.toolkit.tracing.trace_json import parse_trace_json
from serving.processes import finish

CLEAN, FINDINGS, USAGE, NOT_STARTED = range(4)

PAGE = (Path(__file__).parents[2] / "docs" / "trace.md").read_text()

APP = """
import asyncio
import flask

app = flask.Flask(__name__)

@app.route("/", methods=["GET", "POST"])
async def home():
    name = flask.request.form.get("name", flask.request.headers.get("X-Name", "nobody"))
    await asyncio.sleep(0.01)
    return name

@app.get("/forgot")
async def forgot():
    asyncio.sleep(1)
    return "x"

@app.get("/fail")
def fail():
    raise LookupError("no such book")

@app.get("/endless")
async def endless():
    await asyncio.Event().wait()
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `flasync trace` in a folder with the app."""
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("FLASK_APP", raising=False)

    def trace(*arguments: str) -> Result:
        sys.modules.pop("app", None)
        # A busy machine holds the loop as well.
        usual = ["--app", "app", "--max-hold", "60000"]
        result = CliRunner().invoke(commands, ["trace", *usual, *arguments])
        sys.modules.pop("app", None)
        return result

    return trace


def get_words(text: str) -> list[str]:
    """The words of an output, sorted, without its times: they differ, and lines break elsewhere."""
    timeless = re.sub(r"[\d.]+ m?s\b|no time", "TIME", text)
    return sorted(timeless.split())


def test_a_clean_request(run: Run) -> None:
    """The steps are printed, and the exit code is 0."""
    result = run("GET", "/", "-H", "X-Name: ada")
    assert result.exit_code == CLEAN, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("GET / ran on the event loop and was answered with 200, 3 bytes")
    assert lines[3].split() == ["Step", "Time", "Action", "State", "Result"]
    assert "paused at await asyncio.sleep(0.01)" in result.output
    assert "name = 'ada'" in result.output


def test_a_coroutine_that_is_never_awaited(run: Run) -> None:
    """It is named with its line and what to write: exit code 1."""
    result = run("GET", "/forgot")
    assert result.exit_code == FINDINGS
    words = " ".join(result.output.split())
    line = APP.splitlines().index("    asyncio.sleep(1)") + 1
    assert f"asyncio.sleep(1) at app.py:{line} made a coroutine that was never awaited" in words
    assert words.endswith("Write await asyncio.sleep(1).")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [(["GET", "/fail"], Kind.FAILED), (["GET", "/endless", "--timeout", "0.2"], Kind.LEFT)],
)
def test_requests_that_fail(run: Run, arguments: list[str], kind: Kind) -> None:
    """A request without an answer, or with an error: exit code 1."""
    result = run(*arguments, "--json")
    assert result.exit_code == FINDINGS
    assert [item.kind for item in parse_trace_json(result.stdout).findings] == [kind]


def test_what_is_sent(run: Run) -> None:
    """A method in small letters and a form are sent; nothing is sent beside a POST."""
    result = run("post", "/", "--data", "name=bob", "--json")
    trace = parse_trace_json(result.stdout)
    assert (trace.method, trace.beside) == ("POST", 0)
    assert any("returned 'bob'" in step.result for step in trace.steps)
    assert parse_trace_json(run("GET", "/", "--json").stdout).beside == 1


def test_json_alone_is_on_stdout(run: Run, tmp_path: Path) -> None:
    """With `--json` and `--html` the page is written, and stdout is JSON."""
    result = run("GET", "/", "--json", "--html", "trace.html")
    assert json.loads(result.stdout)["status"] == 200
    assert "Wrote trace.html" in result.stderr
    assert "paused at" in (tmp_path / "trace.html").read_text()


def test_no_variables(run: Run) -> None:
    """No value is printed if the user wants none."""
    result = run("GET", "/", "-H", "X-Name: ada", "--no-variables")
    assert "ada" not in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["GET", "home"], "Begin it with a slash: /home"),
        (["G-T", "/"], "'G-T' is no HTTP method"),
        (["GET", "/", "-H", "name"], "Write 'Name: value'"),
        (["GET"], "Missing argument 'PATH'"),
        (["GET", "/", "--html", "none/trace.html"], "No such file or directory"),
        (["GET", "/", "--app", "nothing"], "Could not import 'nothing'"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], words: str) -> None:
    """Wrong arguments are refused with what to do."""
    result = run(*arguments)
    assert result.exit_code != CLEAN
    assert words in " ".join(result.output.split())


def test_an_app_that_does_not_start(run: Run, tmp_path: Path) -> None:
    """An app that fails while it is imported: exit code 3, with its line."""
    (tmp_path / "app.py").write_text("1 / 0\n")
    result = run("GET", "/")
    assert result.exit_code == NOT_STARTED
    assert "ZeroDivisionError: division by zero (app.py:1)" in result.output


def test_the_example_of_the_page(tmp_path: Path) -> None:
    """The page's example prints what the page says, with and without its `await`."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    example, finding = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    command = [sys.executable, "-m", "flasync.cli", "trace", "--app", "app", "--max-hold", "60000"]
    (tmp_path / "app.py").write_text(code)
    ended = finish([*command, "GET", "/book/42"], tmp_path)
    assert (ended.returncode, get_words(ended.stdout)) == (CLEAN, get_words(example))
    (tmp_path / "app.py").write_text(code.replace("await asyncio", "asyncio"))
    ended = finish([*command, "GET", "/book/42"], tmp_path)
    assert ended.returncode == FINDINGS
    assert ended.stdout.endswith(finding)


def test_every_option_is_told() -> None:
    """The page names each long option of the command, and no other; and each finding."""
    options = {
        name
        for option in trace_command.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--")
    }
    rows = re.findall(r"^\| (`--.*?) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"--[a-z][a-z-]*", " ".join(rows))) == options
    assert {*re.findall(r"^\| `([a-z][a-z-]+)` \|", PAGE, re.MULTILINE)} == set(Kind)
