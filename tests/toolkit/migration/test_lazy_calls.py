"""What is done with the value of a call, and not the call, may be what waits."""

from pathlib import Path

import pytest

from toolkit.migration.test_rescan import migrate

HEAD = """\
import os
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
executor = ThreadPoolExecutor()


def count():
    return {value}


@app.get("/count")
def show():
    time.sleep(0.1)
    return str({call})
"""
LAZY = [
    "sum(executor.map(len, ['a', 'b']))",
    "sum(len(names) for _, _, names in os.walk('.'))",
    "sum(len(line) for line in os.popen('ls'))",
]


@pytest.mark.parametrize("value", LAZY)
def test_function_goes_to_a_thread(value: str, tmp_path: Path) -> None:
    """The loop over what a call gives goes to a thread with it, as the function that has both."""
    (tmp_path / "app.py").write_text(HEAD.format(value=value, call="count()"))
    migrate(tmp_path)
    text = (tmp_path / "app.py").read_text()
    assert "await run_sync(count)" in text
    assert value in text


@pytest.mark.parametrize("value", LAZY)
def test_view_stays(value: str, tmp_path: Path) -> None:
    """In the view itself there is no call to hand over: it stays in its thread."""
    (tmp_path / "app.py").write_text(HEAD.format(value="0", call=value))
    (left,) = (left for left in migrate(tmp_path).left if left.route == "GET /count")
    assert "which is no plain call" in left.reason


def test_call_that_waits_itself(tmp_path: Path) -> None:
    """A call that waits before it returns goes to a thread alone."""
    value = "len(os.popen('ls').read())"
    (tmp_path / "app.py").write_text(HEAD.format(value="0", call=value))
    migrate(tmp_path)
    assert "await run_sync(os.popen('ls').read)" in (tmp_path / "app.py").read_text()
