"""Choosing how files are watched, and stopping; the rest is tested with `app.run()`."""

import importlib.machinery
import os
import signal
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug._reloader import reloader_loops

from flasync.errors import ServeOptionError
from flasync.serving.reloader import WatchOptions
from serving.processes import DEADLINE_S, Running, running_script


class FakeWatchdogLoop(reloader_loops["stat"]):  # type: ignore[misc] # A class in a mapping.
    """Stands for Werkzeug's loop on watchdog, which the tests do not install."""


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Pretend that a watchdog is installed, whose patterns match nested files or do not."""

    def install_watchdog(matches: bool) -> None:
        for name in ("watchdog", "watchdog.utils", "watchdog.utils.patterns"):
            module = types.ModuleType(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            monkeypatch.setitem(sys.modules, name, module)
        module.__dict__["match_any_paths"] = lambda paths, included_patterns: matches
        for kind in ("auto", "watchdog"):
            monkeypatch.setitem(reloader_loops, kind, FakeWatchdogLoop)

    return install_watchdog


def test_auto_takes_a_watchdog_that_works(install: Callable[[bool], None]) -> None:
    """Where watchdog is installed and sees modules in folders, `auto` takes it."""
    install(True)
    assert type(WatchOptions().build_loop()) is FakeWatchdogLoop


def test_auto_leaves_a_watchdog_that_sees_nothing(install: Callable[[bool], None]) -> None:
    """A watchdog whose patterns match no module in a folder is not taken, unless asked for."""
    install(False)
    assert type(WatchOptions().build_loop()) is reloader_loops["stat"]
    assert type(WatchOptions(reloader_type="watchdog").build_loop()) is FakeWatchdogLoop


def test_auto_without_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without watchdog, `auto` looks at the files' times."""
    monkeypatch.setitem(sys.modules, "watchdog", None)
    assert WatchOptions().build_loop().name == "stat"


def test_options_reach_the_loop() -> None:
    """What is watched, and how often, is what the options say."""
    options = WatchOptions(["/extra"], ["*/skip.py"], reloader_interval=0.5, reloader_type="stat")
    loop = options.build_loop()
    assert (loop.extra_files, loop.exclude_patterns) == ({"/extra"}, {"*/skip.py"})
    assert loop.interval == 0.5


def test_unknown_type() -> None:
    """A type that Werkzeug lacks is refused with those that it has."""
    with pytest.raises(ServeOptionError, match="Choose one of: auto, stat, watchdog"):
        WatchOptions(reloader_type="sundial").build_loop()


# A server that stops only when something is written to the pipe `end`, having said so.
SLOW_TO_STOP = """
import flasync

app = flasync.Flask(__name__)

@app.get("/")
async def index():
    return "hello"

@app.after_serving
def stop():
    print("stopping", flush=True)
    open("end").read()

app.run(port=PORT, use_reloader=True, reloader_type="stat", reloader_interval=0.1)
"""


def change(running: Running, until: str) -> None:
    """Change the script's time until the log has some words."""
    path = running.folder / "main.py"

    def is_seen() -> bool:
        moment = path.stat().st_mtime + 1
        os.utime(path, (moment, moment))
        return until in running.log

    running.wait_until(is_seen, until)


def test_stop_during_a_reload(tmp_path: Path) -> None:
    """SIGTERM while the old child stops for a change ends the reloader; no new child is started."""
    os.mkfifo(tmp_path / "end")
    with running_script(tmp_path, SLOW_TO_STOP) as running:
        running.wait_for_answer("/", "hello")
        change(running, until="stopping")
        running.process.send_signal(signal.SIGTERM)
        (tmp_path / "end").write_text("")
        assert running.process.wait(DEADLINE_S) == 0
        assert running.log.count("Restarting with") == 1


# A script that says so before it listens to signals, and then takes its time.
SLOW_TO_START = """
import os
import flasync

if os.environ.get("WERKZEUG_RUN_MAIN"):
    print("the child is here", flush=True)
    open("start").read()
flasync.Flask(__name__).run(port=PORT, use_reloader=True, reloader_type="stat")
"""


def test_stop_while_a_child_starts(tmp_path: Path) -> None:
    """SIGTERM that a child dies of, before it could handle it, is a stop like any other."""
    os.mkfifo(tmp_path / "start")
    with running_script(tmp_path, SLOW_TO_START) as running:
        running.wait_until(lambda: "the child is here" in running.log, "the child starts")
        assert running.stop() == 0


# A reloader that is told to stop by the creation of its own child, which ends by a signal only.
STOPPED_BY_START = """
import os
import signal
import subprocess
import sys
from flasync.serving.reloader import WatchOptions, supervise

if os.environ.get("WERKZEUG_RUN_MAIN"):
    signal.sigwait([signal.SIGUSR1])

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        BEFORE
        super().__init__(*arguments, **options)
        AFTER

subprocess.Popen = Popen
sys.exit(supervise(WatchOptions(reloader_type="stat")))
"""


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
def test_stop_between_two_children(tmp_path: Path, moment: str) -> None:
    """SIGTERM just before or after a child is created reaches it, as soon as it is known."""
    script = STOPPED_BY_START.replace(moment, "os.kill(os.getpid(), signal.SIGTERM)")
    (tmp_path / "main.py").write_text(script.replace("BEFORE", "").replace("AFTER", ""))
    with Running([sys.executable, "main.py"], tmp_path, port=0) as running:
        assert running.process.wait(DEADLINE_S) == 0
