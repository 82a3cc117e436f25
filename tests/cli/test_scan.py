"""`flasync scan`, on small apps in this process and on one in its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from flasync.cli import commands, scan_progress

SCAN = [sys.executable, "-m", "flasync.cli", "scan"]

USAGE = 2
NOT_STARTED = 3

PAUSES = """
import time
import flask

app = flask.Flask(__name__)

def pause(seconds):
    time.sleep(seconds)

@app.get("/slow/<int:number>")
def slow(number):
    pause(number)
    return "slow"

@app.get("/quick")
def quick():
    return "quick"
"""
MODULES = {
    "pausing": PAUSES,
    "silent": PAUSES.replace("time.sleep(seconds)", "time.sleep(seconds)  # noqa: FSY101"),
    "calm": PAUSES.replace("time.sleep(seconds)", "pass"),
    "raising": "raise RuntimeError('no database')\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory, the project, with `MODULES` in it; they are imported no more after."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in ("FLASK_APP", "FLASK_DEBUG", "FLASK_RUN_FROM_CLI", "GITHUB_WORKSPACE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def scan(*arguments: str) -> Result:
    """The outcome of `flasync scan`, in this process."""
    return CliRunner().invoke(commands, ["scan", *arguments], catch_exceptions=False)


def list_findings(result: Result) -> list[tuple[str, str, int]]:
    """Code, file and line of each finding of a scan that printed JSON."""
    findings = json.loads(result.stdout)["findings"]
    return [(item["code"], item["place"]["file"], item["place"]["line"]) for item in findings]


def test_report_is_for_people(folder: Path) -> None:
    """Without options the routes, the finding with its chain, and commands are printed."""
    result = scan("--app", "pausing")
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "1 of the 3 routes of pausing wait" in words
    assert "pausing.py:8 time.sleep(seconds)" in words
    assert "The way there from GET /slow/<int:number>: pausing.py:12 slow pause(…)" in words
    assert "flasync verify --app pausing /slow/NUMBER" in words
    assert "\x1b" not in result.stdout


def test_scan_runs_no_view_and_changes_nothing(folder: Path) -> None:
    """The project's files are the same before and after, and its views were not called."""
    (folder / "touching.py").write_text(
        MODULES["calm"] + "\n@app.get('/x')\ndef touch():\n    open('touched', 'w').close()\n"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    ended = subprocess.run(
        [*SCAN, "--app", "touching"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "blocking-disk" in ended.stdout
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_json(folder: Path) -> None:
    """--json prints the report alone."""
    assert list_findings(scan("--app", "pausing", "--json")) == [("FSY101", "pausing.py", 8)]


def test_sarif_into_a_file(folder: Path) -> None:
    """--output takes what --sarif makes, and stdout stays empty."""
    result = scan("--app", "pausing", "--sarif", "--output", "scan.sarif")
    (run,) = json.loads((folder / "scan.sarif").read_text())["runs"]
    assert [item["ruleId"] for item in run["results"]] == ["FSY101"]
    assert result.stdout == ""


def test_github_names_files_from_the_repository(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an action, file names are relative to the workspace."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.parent))
    result = scan("--app", "pausing", "--github")
    assert result.stdout.startswith(f"::warning file={folder.name}/pausing.py,line=8,col=5,title=")


def test_html(folder: Path) -> None:
    """--html writes a page and says so on stderr."""
    result = scan("--app", "pausing", "--html", "scan.html")
    assert (folder / "scan.html").read_text().startswith("<!doctype html>")
    assert result.stderr == "Wrote scan.html: open it in a browser.\n"


def test_file_that_cannot_be_written(folder: Path) -> None:
    """A path that cannot be written to is one line."""
    result = scan("--app", "pausing", "--json", "--output", "absent/scan.json")
    assert result.exit_code == 1
    assert "absent/scan.json" in result.stderr
    assert "No such file or directory" in result.stderr


def test_one_route(folder: Path) -> None:
    """--route shows that route alone, by any of its names."""
    result = scan("--app", "pausing", "--route", "slow")
    assert result.stdout.startswith("GET /slow/<int:number>  ")
    assert "/quick" not in result.stdout


def test_unknown_route_is_refused(folder: Path) -> None:
    """A route that is not there is wrong usage, with one that is like it."""
    result = scan("--app", "pausing", "--route", "/quikc")
    assert result.exit_code == USAGE
    assert "Did you mean 'GET /quick'?" in result.stderr


def test_noqa_hides_and_is_counted(folder: Path) -> None:
    """A finding on a line with a noqa comment is not shown, but counted."""
    result = scan("--app", "silent")
    assert "FSY101" not in result.stdout
    assert "1 finding hidden" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--select", "FSY1"), True),
        (("--select", "FSY101,FSY2"), True),
        (("--select", "FSY2"), False),
        (("--ignore", "FSY101"), False),
        (("--ignore", "FSY102", "--ignore", "FSY2"), True),
    ],
)
def test_select_and_ignore(folder: Path, arguments: tuple[str, ...], found: bool) -> None:
    """Codes and their beginnings choose the rules that count."""
    assert bool(list_findings(scan("--app", "pausing", "--json", *arguments))) is found


def test_project_settings_count(folder: Path) -> None:
    """What `[tool.flasync]` ignores is not found, and --select overrides its select."""
    (folder / "pyproject.toml").write_text("[tool.flasync]\nselect = ['FSY2']\n")
    assert list_findings(scan("--app", "pausing", "--json")) == []
    assert list_findings(scan("--app", "pausing", "--json", "--select", "FSY101")) != []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.flasync]\nselct = []", "unknown key 'selct'"),
        ("[tool.flasync]\nselect = ['FSY9']", "`select` of [tool.flasync] names 'FSY9'"),
        ("[tool.flasync", "cannot be read"),
    ],
)
def test_wrong_settings_are_refused(folder: Path, text: str, words: str) -> None:
    """A wrong setting is one line and wrong usage."""
    (folder / "pyproject.toml").write_text(text)
    result = scan("--app", "pausing")
    assert result.exit_code == USAGE
    assert words in result.stderr
    assert "[FSE408]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--select", "E501"), "--select names 'E501'"),
        (("--observe",), "--observe and a command go together"),
        (("--", "pytest"), "--observe and a command go together"),
        (("--json", "--output", "."), "is a directory"),
        (("--output", "x"), "--output is for --json, --sarif and --github"),
        (("--write-baseline", "--check"), "--write-baseline takes all findings"),
        (("--write-baseline", "--select", "FSY1"), "--write-baseline takes all findings"),
        (("--baseline", "absent.json"), "'absent.json' is not there"),
        (("--project", "absent"), "'absent' does not exist"),
    ],
)
def test_wrong_usage(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be meant is refused before anything is scanned."""
    result = scan("--app", "pausing", *arguments)
    assert result.exit_code == USAGE
    assert words in result.stderr


def test_app_that_does_not_start(folder: Path) -> None:
    """An app that raises is exit code 3 and one line with its place and with --static."""
    result = scan("--app", "raising")
    assert result.exit_code == NOT_STARTED
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "RuntimeError: no database (raising.py:1)" in line
    assert "flasync scan --static" in line


def test_app_that_is_not_there(folder: Path) -> None:
    """An app that is not found is wrong usage."""
    result = scan("--app", "absent")
    assert result.exit_code == USAGE
    assert "Could not import 'absent'" in result.stderr


def test_project_is_where_the_command_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --project the app, the settings and the files are those of that folder."""
    (folder / "pyproject.toml").write_text("[tool.flasync]\nignore = ['FSY101']\n")
    monkeypatch.chdir("/")
    result = scan("--project", str(folder), "--app", "pausing", "--json", "--output", "out.json")
    assert result.exit_code == 0, result.stderr
    assert json.loads((folder / "out.json").read_text())["findings"] == []


class TestCheck:
    """What `--check` fails for."""

    def test_finding_fails(self, folder: Path) -> None:
        """Without a baseline any finding is exit code 1, and the findings alone are printed."""
        result = scan("--app", "pausing", "--check")
        assert result.exit_code == 1
        assert "FSY101 blocking-sleep" in result.stdout
        assert "What to do next" not in result.stdout
        assert result.stderr.splitlines() == [
            "Check failed: 1 finding.",
            "To fail for new findings alone: flasync scan --write-baseline",
        ]

    def test_clean_app_passes(self, folder: Path) -> None:
        """An app without findings is exit code 0."""
        result = scan("--app", "calm", "--check")
        assert (result.exit_code, result.stderr) == (0, "Check passed: no finding.\n")

    def test_notes_pass(self, folder: Path) -> None:
        """A note is no reason to fail: it is not printed, but machines get it."""
        (folder / "hashing.py").write_text(
            PAUSES.replace(
                "import time", "from werkzeug.security import generate_password_hash"
            ).replace("time.sleep(seconds)", "generate_password_hash(str(seconds))")
        )
        result = scan("--app", "hashing", "--check")
        assert (result.exit_code, result.stdout) == (0, "")
        result = scan("--app", "hashing", "--check", "--json")
        assert [code for code, *_ in list_findings(result)] == ["FSY108"]
        assert result.exit_code == 0

    def test_known_findings_pass(self, folder: Path) -> None:
        """What was written down passes, even when its line has moved."""
        written = scan("--app", "pausing", "--write-baseline")
        assert written.exit_code == 0
        assert written.stderr == (
            "Wrote 1 finding into flasync-baseline.json: 1 new, 0 no longer there.\n"
        )
        (folder / "pausing.py").write_text("# moved\n\n" + PAUSES)
        sys.modules.pop("pausing")
        assert scan("--app", "pausing", "--check").exit_code == 0

    def test_new_finding_fails(self, folder: Path) -> None:
        """One more call in the same function is new, and alone is shown."""
        scan("--app", "pausing", "--write-baseline")
        more = "    time.sleep(seconds)\n    time.sleep(2 * seconds)\n"
        (folder / "pausing.py").write_text(PAUSES.replace("    time.sleep(seconds)\n", more))
        sys.modules.pop("pausing")
        result = scan("--app", "pausing", "--check", "--json")
        assert result.exit_code == 1
        assert list_findings(result) == [("FSY101", "pausing.py", 9)]

    def test_mended_finding_is_told_and_taken_out(self, folder: Path) -> None:
        """What no longer occurs is named, and --write-baseline takes it out."""
        scan("--app", "pausing", "--write-baseline")
        (folder / "pausing.py").write_text(PAUSES.replace("time.sleep(seconds)", "pass"))
        sys.modules.pop("pausing")
        result = scan("--app", "pausing", "--check")
        assert result.exit_code == 0
        assert "1 entry of flasync-baseline.json no longer there" in result.stderr
        assert "FSY101 time.sleep in pausing.pause (pausing.py)" in result.stderr
        written = scan("--app", "pausing", "--write-baseline")
        assert "0 new, 1 no longer there" in written.stderr
        assert json.loads((folder / "flasync-baseline.json").read_text())["findings"] == []

    def test_unselected_findings_are_not_gone(self, folder: Path) -> None:
        """A check of other rules does not say that known findings are mended."""
        scan("--app", "pausing", "--write-baseline")
        result = scan("--app", "pausing", "--check", "--select", "FSY2")
        assert (result.exit_code, result.stderr) == (0, "Check passed: no new finding.\n")

    def test_plain_scan_shows_known_findings(self, folder: Path) -> None:
        """Without --check the default baseline hides nothing; one that is named does."""
        scan("--app", "pausing", "--write-baseline")
        assert list_findings(scan("--app", "pausing", "--json")) != []
        named = scan("--app", "pausing", "--json", "--baseline", "flasync-baseline.json")
        assert list_findings(named) == []
        assert json.loads(named.stdout)["suppressed"] == 1

    def test_baseline_of_the_settings_must_be_there(self, folder: Path) -> None:
        """A baseline that the settings name, and that is missing, is an error, not a pass."""
        (folder / "pyproject.toml").write_text("[tool.flasync]\nbaseline = 'known.json'\n")
        result = scan("--app", "calm", "--check")
        assert result.exit_code == USAGE
        assert "known.json' is not there" in result.stderr


def test_terminal_shows_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each stage is drawn on stderr, and nothing is left of it."""
    file = io.StringIO()
    terminal = Console(file=file, force_terminal=True, width=80)
    monkeypatch.setattr(scan_progress, "build_console", lambda stderr: terminal)
    with scan_progress.ScanProgress() as progress:
        progress("Importing the app", 0, 0)
        progress("Following the calls of each route", 3, 12)
    drawn = file.getvalue()
    assert "Importing the app" in drawn
    assert "Following the calls of each route" in drawn
    assert drawn.endswith("\x1b[1A\x1b[2K")


def test_pipe_shows_no_progress(folder: Path) -> None:
    """Where stderr is no terminal, nothing is drawn."""
    assert scan("--app", "pausing").stderr == ""


def test_static_scan_imports_nothing(folder: Path) -> None:
    """With --static an app that does not start is scanned too, and the report says what is lost."""
    (folder / "broken.py").write_text(PAUSES + "\nraise RuntimeError('no database')\n")
    result = scan("--app", "broken", "--static", "--select", "FSY1")
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "The app was not imported." in words
    assert "broken.py:8 time.sleep(seconds)" in words
    assert "broken" not in sys.modules


def test_threads_of_the_app(tmp_path: Path) -> None:
    """A thread that the app starts at import and never ends does not keep the scan alive."""
    thread = (
        "import threading\nthreading.Thread(target=threading.Event().wait, name='cron').start()\n"
    )
    (tmp_path / "working.py").write_text(PAUSES + thread)
    done = subprocess.run(
        [*SCAN, "--app", "working", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["routes"]) == 3
    assert "'cron'" in done.stderr
