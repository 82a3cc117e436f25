"""Connections and processes: forks, WSGI workers, and exits."""

import concurrent.futures
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from data.conftest import DEADLINE_S
from data.library import CONTENT

TESTS = Path(__file__).parent.parent


def test_a_forked_child_has_its_own_connections(
    build_url: Callable[[str], str], wait_for_backends: Callable[[int], None]
) -> None:
    """The child makes new ones, the parent's go on working, and both close theirs at exit."""
    process = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            TESTS / "data" / "forking.py",
            build_url("asyncpg"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    report = json.loads(process.stdout)
    assert report["after"] == report["before"]
    assert report["child"][0] == report["child"][1] != report["before"]
    assert report["status"] == 0
    assert process.stderr == ""
    wait_for_backends(0)


def test_gunicorn_threads_with_preload(
    build_url: Callable[[str], str], wait_for_backends: Callable[[int], None], tmp_path: Path
) -> None:
    """Two forked WSGI workers of four threads serve the app that was loaded, and used, before."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.set_inheritable(True)
        log = tmp_path / "gunicorn.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "--preload",
                    "-k",
                    "gthread",
                    "-w",
                    "2",
                    "--threads",
                    "4",
                    "-b",
                    f"fd://{listener.fileno()}",
                    "data.wsgi_app:app",
                ],
                cwd=TESTS,
                stdout=output,
                stderr=output,
                pass_fds=[listener.fileno()],
                env={**os.environ, "LIBRARY_URL": build_url("asyncpg")},
            )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_log(process, log, r"Booting worker[\s\S]*Booting worker")
        with httpx.Client(base_url=url, timeout=DEADLINE_S) as client:

            def get(path: str) -> str:
                return client.get(path).text

            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                bodies = set(threads.map(get, ["/sync/index", "/async/index"] * 20))
                pairs = {tuple(pair.split()) for pair in threads.map(get, ["/pid"] * 20)}
        assert bodies == {CONTENT}
        # No database connection served two processes.
        assert len({backend for _, backend in pairs}) == len(pairs)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)
    assert "Traceback" not in log.read_text(), log.read_text()
    wait_for_backends(0)


def wait_for_log(process: subprocess.Popen[bytes], log: Path, pattern: str) -> None:
    """Wait until the process has logged something that matches."""
    deadline = time.monotonic() + DEADLINE_S
    while not re.search(pattern, log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)  # the poll's pace
