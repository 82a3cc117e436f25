"""`flasync scan --observe`: the command is run, and its own output stays apart from the report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

APP = """
import time

import flask

app = flask.Flask(__name__)


@app.get("/slow")
def slow():
    time.sleep(0.1)
    return "done"
"""
DRIVER = "from app import app; print(app.test_client().get('/slow').text)"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="observing needs Linux")


def run_scan(folder: Path, *options: str, driver: str = DRIVER) -> subprocess.CompletedProcess[str]:
    """The command, observing a Python program that sends one request."""
    (folder / "app.py").write_text(APP)
    scan = [sys.executable, "-m", "flasync.cli", "scan", "--app", "app", *options]
    command = [*scan, "--observe", "--", sys.executable, "-c", driver]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_json_alone(tmp_path: Path) -> None:
    """With --json the standard output is JSON and nothing else; the wait is confirmed in it."""
    done = run_scan(tmp_path, "--json")
    report = json.loads(done.stdout)
    (finding,) = (item for item in report["findings"] if item["code"] == "FSY101")
    assert finding["evidence"] == "confirmed"
    assert finding["observed"]["count"] == 1
    assert "done" in done.stderr


def test_text(tmp_path: Path) -> None:
    """The command's own output comes before the report, where one expects it."""
    done = run_scan(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("done\n")
    assert "time.sleep(0.1)" in done.stdout


def test_red_command(tmp_path: Path) -> None:
    """A command that fails is told, and what was seen until then is kept."""
    done = run_scan(tmp_path, driver=DRIVER + "; raise SystemExit(3)")
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())  # where lines break depends on where Python is
    assert "ended with exit code 3" in words
    assert "1 request" in words


def test_no_request(tmp_path: Path) -> None:
    """A command that serves no request is an error that says so."""
    done = run_scan(tmp_path, driver="print('hello')")
    assert done.returncode == 2
    assert "FSE409" in done.stderr
