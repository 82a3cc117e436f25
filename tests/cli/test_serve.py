"""`flasync serve` on real servers: finding the app, workers, signals, reload, TLS, HTTP/2."""

import os
import signal
import ssl
import threading
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from ports import reserve_port
from serving.processes import DEADLINE_S, SERVE, Running, serving

SERVERS = ("uvicorn", "hypercorn", "granian")

PLAIN_APP = """
import os
import flask

app = flask.Flask(__name__)

@app.get("/")
def index():
    return "hello"

@app.get("/pid")
async def pid():
    return str(os.getpid())
"""

# Stops: `begun` says that the view runs, and it returns once `go` exists.
WAITING_APP = """
import asyncio
import pathlib
import flasync

app = flasync.Flask(__name__)
app.config["GRACEFUL_TIMEOUT"] = LIMIT_S

@app.get("/")
async def index():
    return "hello"

@app.get("/wait")
async def wait():
    pathlib.Path("begun").touch()
    while not pathlib.Path("go").exists():
        await asyncio.sleep(0.01)
    return "done"

@app.after_serving
async def stopped():
    pathlib.Path("stopped").touch()
"""


@pytest.fixture
def plain_app(tmp_path: Path) -> Path:
    """A folder with a plain Flask app in app.py."""
    (tmp_path / "app.py").write_text(PLAIN_APP)
    return tmp_path


@pytest.mark.parametrize("server", SERVERS)
def test_plain_flask_app_is_served_until_ctrl_c(plain_app: Path, server: str) -> None:
    """A plain flask.Flask needs no edit, and SIGINT ends the server with exit code 0."""
    with serving(plain_app, "--server", server) as running:
        running.wait_for_answer("/", "hello")
        assert running.stop(signal.SIGINT) == 0
        assert "Traceback" not in running.log
        assert f" * Serving Flask app 'app' on http://127.0.0.1:{running.port}" in running.log


@pytest.mark.parametrize("server", SERVERS)
def test_workers_are_processes(plain_app: Path, server: str) -> None:
    """`--workers 2` answers from two processes, neither of them the parent, and ends with 0."""
    with serving(plain_app, "--server", server, "--workers", "2") as running:
        running.wait_for_answer("/", "hello")
        pids: set[str] = set()
        running.wait_until(lambda: pids.add(running.get("/pid").text) or len(pids) == 2, "2 pids")
        assert str(running.process.pid) not in pids
        assert running.stop() == 0
        assert all(_has_ended(int(pid)) for pid in pids)


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("server", SERVERS)
def test_running_request_is_finished_at_a_stop(tmp_path: Path, server: str) -> None:
    """A request under way at SIGTERM gets its answer, then the shutdown hooks run."""
    (tmp_path / "app.py").write_text(WAITING_APP.replace("LIMIT_S", "30"))
    with serving(tmp_path, "--server", server) as running:
        running.wait_for_answer("/", "hello")
        answers: list[str] = []
        asker = threading.Thread(target=lambda: answers.append(running.get("/wait").text))
        asker.start()
        running.wait_until((tmp_path / "begun").exists, "the view has begun")
        running.process.send_signal(signal.SIGTERM)
        _wait_until_closed(running)
        (tmp_path / "go").touch()
        asker.join()
        assert answers == ["done"]
        assert running.process.wait(DEADLINE_S) == 0
        assert (tmp_path / "stopped").exists()


def _wait_until_closed(running: Running) -> None:
    """Return once the server has taken notice of the signal: no new connection is answered."""

    def is_closed() -> bool:
        try:
            running.get("/", timeout_s=0.5)
        except OSError:
            return True
        return False

    running.wait_until(is_closed, "the port is closed")


@pytest.mark.parametrize("server", SERVERS)
def test_graceful_timeout_ends_an_endless_request(tmp_path: Path, server: str) -> None:
    """A request that never ends holds up a stop for GRACEFUL_TIMEOUT seconds and no longer."""
    (tmp_path / "app.py").write_text(WAITING_APP.replace("LIMIT_S", "0.5"))
    with serving(tmp_path, "--server", server) as running:
        running.wait_for_answer("/", "hello")
        asker = threading.Thread(target=running.try_get, args=("/wait",))
        asker.start()
        running.wait_until((tmp_path / "begun").exists, "the view has begun")
        assert running.stop() == 0
        asker.join()


# Hypercorn takes over its socket as uvicorn does; Granian binds the port anew.
@pytest.mark.parametrize("server", ["uvicorn", "granian"])
def test_reload_serves_the_new_code(tmp_path: Path, server: str) -> None:
    """After a change the new code answers, the old process having run its shutdown hooks."""
    app = tmp_path / "app.py"
    app.write_text(WAITING_APP.replace("LIMIT_S", "30"))
    with serving(tmp_path, "--server", server, "--reload") as running:
        running.wait_for_answer("/", "hello")
        app.write_text(app.read_text().replace('"hello"', '"changed"'))
        _wait_for_restart(running, app, 1)
        running.wait_for_answer("/", "changed")
        assert (tmp_path / "stopped").exists()
        assert running.stop() == 0
        assert "Traceback" not in running.log


def _wait_for_restart(running: Running, app: Path, times: int) -> None:
    """Return once so many changes were seen.

    The watcher compares the file's time with what it was at its first look, which may come after
    the change: the time keeps moving until it has noticed.
    """

    def is_seen() -> bool:
        if running.log.count("Detected change") >= times:
            return True
        moment = app.stat().st_mtime + 1
        os.utime(app, (moment, moment))
        return False

    running.wait_until(is_seen, f"{times} changes are seen")


def test_reload_survives_a_broken_edit(plain_app: Path) -> None:
    """A broken edit is answered with its error, and the edit that mends it is served."""
    app = plain_app / "app.py"
    with serving(plain_app, "--reload") as running:
        running.wait_for_answer("/", "hello")
        app.write_text(PLAIN_APP + "\nundefined_name\n")
        _wait_for_restart(running, app, 1)
        running.wait_until(lambda: _answers_error(running), "the error is answered")
        assert "NameError: name 'undefined_name' is not defined" in running.log
        app.write_text(PLAIN_APP.replace("hello", "mended"))
        _wait_for_restart(running, app, 2)
        running.wait_for_answer("/", "mended")
        assert running.stop() == 0


def _answers_error(running: Running) -> bool:
    answer = running.try_get("/")
    return answer is not None and answer.status == HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_http2_over_tls(plain_app: Path, server: str) -> None:
    """`--http2 --cert adhoc` serves HTTP/2 where the server has it."""
    with serving(plain_app, "--server", server, "--http2", "--cert", "adhoc") as running:
        running.scheme = "https"
        running.wait_for_answer("/", "hello")
        with httpx.Client(http2=True, verify=False, trust_env=False) as client:
            response = client.get(f"https://127.0.0.1:{running.port}/")
        assert (response.http_version, response.text) == ("HTTP/2", "hello")
        assert running.stop() == 0


def test_certificate_files(plain_app: Path, certificate: tuple[str, str]) -> None:
    """`--cert` and `--key` serve TLS with that certificate."""
    with serving(plain_app, "--cert", certificate[0], "--key", certificate[1]) as running:
        running.scheme = "https"
        running.wait_for_answer("/", "hello")
        served = ssl.get_server_certificate(("127.0.0.1", running.port))
        assert served.split() == Path(certificate[0]).read_text().split()


def test_access_log_has_the_lines_of_flask(plain_app: Path) -> None:
    """`--access-log` prints what Flask's development server prints for a request."""
    with serving(plain_app, "--access-log") as running:
        running.wait_for_answer("/", "hello")
        running.get("/pid?a=%0A&b=%C3%A9")
        running.wait_until(lambda: "/pid" in running.log, "the line is logged")
        line = next(line for line in running.log.splitlines() if "/pid" in line)
        assert line.startswith("127.0.0.1 - - [")
        assert line.endswith('"GET /pid?a=%0A&b=%C3%A9 HTTP/1.1" 200 -')


def test_production_prints_no_request_lines(plain_app: Path) -> None:
    """Without `--access-log` and debug mode, requests are not logged."""
    with serving(plain_app) as running:
        running.wait_for_answer("/", "hello")
        assert running.stop() == 0
        assert "GET /" not in running.log


def test_app_run_in_the_module_is_ignored(plain_app: Path) -> None:
    """An unguarded `app.run()` in the served module does not start a second server."""
    module = plain_app / "app.py"
    module.write_text(module.read_text().replace("flask.Flask", "__import__('flasync').Flask"))
    with module.open("a") as file:
        file.write("\napp.run()\n")
    with serving(plain_app) as running:
        running.wait_for_answer("/", "hello")
        assert "Ignoring a call to 'app.run()'" in running.log


def test_flaskenv_chooses_app_and_port(plain_app: Path) -> None:
    """`.flaskenv` names the app and the port, as for `flask run`; the environment goes first."""
    (plain_app / "app.py").rename(plain_app / "shop.py")
    (plain_app / ".env").write_text("GREETING=from .env\n")
    with (plain_app / "shop.py").open("a") as file:
        file.write(
            "\ndef create_app(name):\n"
            "    app.add_url_rule('/name', view_func=lambda: name + os.environ['GREETING'])\n"
            "    return app\n"
        )
    port = reserve_port()
    (plain_app / ".flaskenv").write_text(
        f"FLASK_APP=shop:create_app('x ')\nFLASK_RUN_PORT={port}\n"
    )
    with Running([*SERVE], plain_app, port) as running:
        running.wait_for_answer("/name", "x from .env")
    with serving(plain_app, FLASK_APP="shop:app") as running:
        running.wait_for_answer("/", "hello")
        assert running.get("/name").status == HTTPStatus.NOT_FOUND
