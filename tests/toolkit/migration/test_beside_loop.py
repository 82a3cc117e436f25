"""What threads run while an async view holds the loop for them: it never waits for the loop."""

import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.migration.fuzzing.migrated_copy import migrate

APP = """\
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)


def wait(value):
    time.sleep(0.001)
    return value


@app.get("/plain")
def plain():
    time.sleep(0.001)
    return wait("plain")


@app.get("/pooled")
async def pooled():
    {body}
"""
BODIES = (
    'with ThreadPoolExecutor(1) as pool:\n        return "".join(pool.map(wait, ["a", "b"]))',
    "thread = threading.Thread(target=wait, args=(1,))\n    thread.start()\n    thread.join()\n"
    '    return "ab"',
)
# A test of its own process: a mistake would hang.
SCRIPT = 'import app; client = app.app.test_client(); print(client.get("/pooled").text)'


@pytest.mark.parametrize("body", BODIES)
def test_thread_that_an_async_view_waits_for(body: str, tmp_path: Path) -> None:
    """A helper that such a thread runs stays as it is, and the view answers as before."""
    (tmp_path / "app.py").write_text(APP.replace("{body}", body))
    migrate(tmp_path)
    after = (tmp_path / "app.py").read_text()
    assert "async def plain" in after
    assert "await_(" not in after
    command = (sys.executable, "-c", SCRIPT)
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "ab\n", done.stderr
