"""Recording in whole trees of processes: forks, workers, servers, and how they end."""

import json
import signal
import sys

import pytest
from tests.ports import reserve_port
from tests.toolkit.observing.projects import (
    LITTLE,
    MOST,
    TIMES,
    TIMES_SHORT,
    Project,
    get_route,
    sum_waited,
)

# How long a request for / of these apps waits, at the line marked `here`.
PLANTED_MS = 100

APP = f"""\
    import os
    import time
    import flask

    app = flask.Flask(__name__)

    @app.get("/")
    def index():
        time.sleep(0.1)  # here
        return str(os.getpid())

    def visit(times={TIMES_SHORT}):
        client = app.test_client()
        for _ in range(times):
            client.get("/")
    """

# Starts a server on a port, both given as arguments, asks it for some URLs at once, and stops it
# with SIGTERM.
VISIT = """\
    import json
    import signal
    import subprocess
    import sys
    import threading
    import time
    import urllib.request
    import socket

    urls, port, *command = json.loads(sys.argv[1])
    server = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    answers = []

    def get(url):
        address = f"http://127.0.0.1:{port}{url}"
        answers.append(urllib.request.urlopen(address, timeout=60).read())

    threads = [threading.Thread(target=get, args=[url]) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(urls), answers
    server.send_signal(signal.SIGTERM)
    server.wait(60)
    """


def write_visit(project: Project, urls: list[str], port: int, *server: str) -> list[str]:
    """Write the program that visits a server; the result runs it."""
    project.write("visit.py", VISIT)
    return ["visit.py", json.dumps([urls, port, sys.executable, *server])]


def check_requests(project: Project, requests: int, *arguments: str) -> int:
    """All requests are seen, with their waits; returns the number of processes."""
    _, observation = project.run(*arguments)
    route = get_route(observation, "/")
    assert route.requests == requests
    assert sum_waited(route, project.find_line("here")) > MOST * requests * PLANTED_MS
    return observation.processes


@pytest.mark.parametrize("workers", [1, 2])
def test_gunicorn_threads(project: Project, workers: int) -> None:
    """Threads of forked gunicorn workers are each seen, and their files survive SIGTERM."""
    project.write("app.py", APP)
    port = reserve_port()
    gunicorn = ["-m", "gunicorn", "-k", "gthread", "--threads", "4", "-w", str(workers)]
    server = [*gunicorn, "-b", f"127.0.0.1:{port}", "app:app"]
    visit = write_visit(project, ["/"] * TIMES_SHORT, port, *server)
    assert 1 <= check_requests(project, TIMES_SHORT, *visit) <= workers


def test_forks(project: Project) -> None:
    """Each fork records what it does itself, and begins with nothing of its parent's."""
    project.write("app.py", APP)
    project.write(
        "main.py",
        """\
        import os
        import app

        app.visit(3)
        for _ in range(2):
            if os.fork() == 0:
                app.visit(3)
                os._exit(0)
        for _ in range(2):
            assert os.wait()[1] == 0
        app.visit(3)
        """,
    )
    assert check_requests(project, 12, "-W", "error", "main.py") == 3


def test_multiprocessing(project: Project) -> None:
    """Workers of multiprocessing, spawned and forked, are seen although they end at once."""
    project.write("app.py", APP)
    project.write(
        "main.py",
        """\
        import multiprocessing
        import app

        if __name__ == "__main__":
            for method in ("fork", "spawn"):
                worker = multiprocessing.get_context(method).Process(target=app.visit, args=[5])
                worker.start()
                worker.join()
                assert worker.exitcode == 0
        """,
    )
    assert check_requests(project, 10, "main.py") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_process(project: Project, number: signal.Signals) -> None:
    """What was written before a process was killed is kept; it writes whenever it falls idle."""
    project.write("app.py", APP)
    project.write(
        "main.py",
        f"""\
        import os
        import time
        from pathlib import Path
        import app

        app.app.test_client().get("/")
        file = Path(os.environ["FLASYNC_OBSERVE"], f"{{os.getpid()}}.json")
        deadline = time.monotonic() + 60
        while '"requests": 1' not in (file.read_text() if file.exists() else ""):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(os.getpid(), {int(number)})
        """,
    )
    exit_code, observation = project.run("main.py")
    assert exit_code == 128 + number
    assert get_route(observation, "/").requests == 1


def test_long_request_of_a_killed_process(project: Project) -> None:
    """A request that never ends is seen waiting."""
    project.write(
        "app.py",
        """\
        import os
        import time
        from pathlib import Path
        import flask

        app = flask.Flask(__name__)

        @app.get("/quick")
        def quick():
            return ""

        @app.get("/")
        def index():
            file = Path(os.environ["FLASYNC_OBSERVE"], f"{os.getpid()}.json")
            deadline = time.monotonic() + 60
            while "sleep" not in (file.read_text() if file.exists() else ""):
                assert time.monotonic() < deadline
                time.sleep(0.05)  # here
            os._exit(7)
        """,
    )
    project.write(
        "main.py",
        """\
        import app

        app.app.test_client().get("/quick")
        app.app.test_client().get("/")
        """,
    )
    exit_code, observation = project.run("main.py")
    assert exit_code == 7
    assert sum_waited(get_route(observation, "/"), project.find_line("here")) > 0


def test_process_without_flask(project: Project) -> None:
    """A process that never imports Flask loads nothing of the recorder but its start."""
    project.write("app.py", APP)
    project.write(
        "main.py",
        """\
        import subprocess
        import sys
        import app

        app.visit()
        script = "import sys; print([name for name in sys.modules if 'flasync' in name])"
        assert subprocess.check_output([sys.executable, "-c", script]) == b"[]\\n"
        """,
    )
    assert check_requests(project, TIMES_SHORT, "main.py") == 1


def test_hidden_sitecustomize(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sitecustomize that the environment has already runs as it did."""
    project.write("app.py", APP)
    project.write("start/sitecustomize.py", "import os\nos.environ['CUSTOMIZED'] = __name__\n")
    project.write(
        "main.py",
        """\
        import os
        import app

        assert os.environ["CUSTOMIZED"] == "sitecustomize"
        app.visit()
        """,
    )
    monkeypatch.setenv("PYTHONPATH", str(project.root / "start"))
    assert check_requests(project, TIMES_SHORT, "main.py") == 1


def test_threads_are_not_listed(project: Project) -> None:
    """A program that counts its threads counts none of ours."""
    project.write("app.py", APP)
    project.write(
        "main.py",
        """\
        import threading
        import app

        app.visit()
        assert threading.enumerate() == [threading.main_thread()]
        """,
    )
    assert check_requests(project, TIMES_SHORT, "main.py") == 1


def test_replaced_clocks(project: Project) -> None:
    """A test that replaces `time.sleep` or a clock sees its own calls, and disturbs nothing."""
    project.write_view(
        """\
        time.sleep(1)
        app.config["SLEEP"](0.1)  # here
        """,
        above="import time",
    )
    project.write(
        "test_app.py",
        f"""\
        import time
        import app

        def test_index(monkeypatch):
            naps = []
            app.app.config["SLEEP"] = time.sleep
            monkeypatch.setattr(time, "sleep", naps.append)
            monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
            for _ in range({TIMES_SHORT}):
                app.app.test_client().get("/")
            assert naps == [1] * {TIMES_SHORT}
        """,
    )
    assert check_requests(project, TIMES_SHORT, "-m", "pytest", "-q") == 1


ASYNC_APP = """\
    import asyncio
    import time
    import flasync

    app = flasync.Flask(__name__)

    @app.get("/awaits")
    async def awaits():
        await asyncio.sleep(0.2)  # awaits
        return ""

    @app.get("/blocks")
    async def blocks():
        time.sleep(0.2)  # blocks
        return ""

    @app.get("/thread")
    def thread():
        time.sleep(0.2)  # thread
        return ""
    """


def test_flasync_serve(project: Project) -> None:
    """On one loop, a request is blamed for what it blocks, and for nothing while it awaits."""
    project.write("app.py", ASYNC_APP)
    port = reserve_port()
    urls = ["/awaits", "/blocks", "/thread"] * TIMES
    serve = ["-m", "flasync.cli", "serve", "--app", "app", "--port", str(port)]
    observation = project.observe(*write_visit(project, urls, port, *serve))
    awaits = get_route(observation, "/awaits")
    assert awaits.requests == TIMES
    assert awaits.waited_ms < LITTLE * awaits.wall_ms
    for name in ("blocks", "thread"):
        route = get_route(observation, f"/{name}")
        assert sum_waited(route, project.find_line(name)) > MOST * TIMES * 200
        assert route.waited_ms <= route.wall_ms


def test_xdist(project: Project) -> None:
    """The workers of pytest-xdist are each seen."""
    pytest.importorskip("xdist")
    project.write("app.py", APP)
    project.write(
        "test_app.py",
        f"""\
        import pytest
        import app

        @pytest.mark.parametrize("number", range({TIMES_SHORT}))
        def test_index(number):
            app.app.test_client().get("/")
        """,
    )
    assert check_requests(project, TIMES_SHORT, "-m", "pytest", "-q", "-p", "xdist", "-n", "2") == 2
