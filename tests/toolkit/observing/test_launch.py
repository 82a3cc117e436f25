"""Running the command: its exit code, its output, its signals, and what is said when it fails."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.toolkit.observing.projects import Project, get_route

from flasync.errors import ObserveError
from flasync.toolkit.observing.launch import run_observed

APP = """\
    import flask

    app = flask.Flask(__name__)

    @app.get("/")
    def index():
        return ""
    """


def test_red_tests(project: Project) -> None:
    """Tests that fail give their exit code, and what was observed is kept."""
    project.write("app.py", APP)
    project.write(
        "test_app.py",
        """\
        import app

        def test_index():
            assert app.app.test_client().get("/").text == "something else"
        """,
    )
    exit_code, observation = project.run("-m", "pytest", "-q")
    assert exit_code == 1
    assert get_route(observation, "/").requests == 1


def test_output_passes_through(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    """What the command prints is seen as it is."""
    project.write("app.py", APP)
    project.write("main.py", "import app\napp.app.test_client().get('/')\nprint('printed')\n")
    project.observe("main.py")
    assert capfd.readouterr() == ("printed\n", "")


def test_command_not_found(tmp_path: Path) -> None:
    """A command that is not there is named, and what to type."""
    with pytest.raises(ObserveError, match=r"'no-such-command' cannot be started: No such file"):
        run_observed(["no-such-command"], tmp_path, {})


def test_no_request(tmp_path: Path) -> None:
    """A command without a request says so, with its exit code."""
    with pytest.raises(ObserveError, match=r"'false' ended with exit code 1, and none of"):
        run_observed(["false"], tmp_path, {})


def test_other_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Linux it says what to do, and starts nothing."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ObserveError, match="Run it on Linux"):
        run_observed([sys.executable, "-c", "raise SystemExit('started')"], tmp_path, {})


def test_nothing_is_left(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a run, the environment and the handlers of signals are gone afterwards."""
    monkeypatch.setenv("TMPDIR", str(project.root))
    monkeypatch.setattr("tempfile.tempdir", None)
    project.write("app.py", APP)
    project.write("main.py", "import app\napp.app.test_client().get('/')\n")
    before = dict(os.environ), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    project.observe("main.py")
    after = dict(os.environ), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert after == before
    assert not list(project.root.glob("flasync-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(project: Project, number: signal.Signals) -> None:
    """Ctrl-C in a terminal, and SIGTERM to flasync, end the command and keep the observation."""
    project.write("app.py", APP)
    project.write(
        "serve.py",
        """\
        import signal
        import sys
        import time
        import app

        app.app.test_client().get("/")
        try:
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(3))
            print("ready", flush=True)
            while True:
                time.sleep(0.1)  # not pause(): a signal may come just before it
        except KeyboardInterrupt:
            sys.exit(3)
        """,
    )
    project.write(
        "observe.py",
        """\
        import sys
        from pathlib import Path
        from flasync.toolkit.observing.launch import run_observed

        exit_code, observation = run_observed([sys.executable, "serve.py"], Path.cwd(), {})
        print(exit_code, observation.requests)
        """,
    )
    with subprocess.Popen(
        [sys.executable, "observe.py"],
        cwd=project.root,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None  # the test's own limit of time ends a wait for it
        assert process.stdout.readline() == "ready\n"
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        assert process.stdout.read() == "3 1\n"
