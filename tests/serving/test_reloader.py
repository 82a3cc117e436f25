"""Choosing how files are watched; the reloading itself is tested on real servers."""

import importlib.machinery
import sys
import types
from collections.abc import Callable

import pytest
from werkzeug._reloader import reloader_loops

from flasync.errors import ServeOptionError
from flasync.serving.reloader import WatchOptions


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
