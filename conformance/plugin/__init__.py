"""A pytest plugin: records what each test comes to, and sends test requests through flasync.

`--flasync-record=FILE` alone records. With `--flasync-lane=natural|loop|thread` every request that
a Werkzeug, Flask or WebTest client makes to a Flask application becomes an ASGI request to
`flasync.ASGI` of that application, on the process's one event loop, in the test's own context.
`--flasync-lane=threaded` is the control run: see `control`. `--flasync-driver` puts another driver
into Flask-SQLAlchemy's database URLs: see `driver`.

The folder is copied into each suite's environment, as the package `flasync_conformance`.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .clients import Bridge
    from .control import ThreadedControl

NATURAL = "natural"
"""The lane that is not forced: each view takes the one that flasync finds for it."""
THREADED = "threaded"
"""Not a lane: each request in another thread, without flasync."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("flasync")
    group.addoption("--flasync-record", metavar="FILE", help="write each test's outcome to FILE")
    group.addoption(
        "--flasync-lane",
        choices=(NATURAL, "loop", "thread", THREADED),
        help="send the test clients' requests through flasync, in this lane",
    )
    group.addoption(
        "--flasync-lend",
        action="store_true",
        help="let the test's own thread be the worker thread of its requests",
    )
    group.addoption(
        "--flasync-driver",
        metavar="DRIVER",
        help="put this driver, such as sqlite+aiosqlite, into Flask-SQLAlchemy's URLs",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start recording, and put the bridge into the clients when a lane is asked for."""
    lane = config.getoption("--flasync-lane")
    bridge = build_bridge(lane, config.getoption("--flasync-lend")) if lane else None
    if bridge:
        bridge.install()
    if driver := config.getoption("--flasync-driver"):
        # Here, because most suites' environments have no Flask-SQLAlchemy.
        from .driver import install_driver  # noqa: PLC0415

        install_driver(driver)
    if path := config.getoption("--flasync-record"):
        config.pluginmanager.register(Recorder(Path(path), bridge), "flasync-recorder")


def build_bridge(lane: str, lends: bool) -> Bridge | ThreadedControl:
    """What is put between the clients and the applications that they call."""
    # Here, because a stock run must import nothing that the suite itself does not.
    from .clients import Bridge  # noqa: PLC0415
    from .control import ThreadedControl  # noqa: PLC0415

    if lane == THREADED:
        return ThreadedControl()
    return Bridge(None if lane == NATURAL else lane, lends)


class Recorder:
    """Writes each test's outcome to a file when the session ends.

    Args:
        path: The file.
        bridge: Where the requests leave WSGI for ASGI; None in a stock run.
    """

    def __init__(self, path: Path, bridge: Bridge | ThreadedControl | None) -> None:
        self.path, self.bridge = path, bridge
        self.outcomes: dict[str, str] = {}
        self.details: dict[str, str] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a module that cannot be collected as a test of its own."""
        if report.outcome != "passed":
            self._add(f"{report.nodeid} (collection)", report.outcome, report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Let each phase add its word; a setup or teardown that merely passed has none."""
        if report.when != "call" and report.outcome == "passed":
            return
        word: str = report.outcome
        if hasattr(report, "wasxfail"):
            word = "xfailed" if word == "skipped" else "xpassed"
        elif word == "failed" and report.when != "call":
            word = f"{report.when} error"
        self._add(report.nodeid, word, report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """Close what the test left open before its fixtures go, as reference counting would."""
        try:
            return (yield)
        finally:
            if self.bridge:
                self.bridge.close_abandoned()

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        data = {
            "outcomes": self.outcomes,
            "details": self.details,
            "bridged": self.bridge.bridged if self.bridge else 0,
            "direct": self.bridge.direct if self.bridge else 0,
            "stalls": list(self.bridge.stalls) if self.bridge else [],
        }
        self.path.write_text(json.dumps(data))

    def _add(self, test: str, word: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        # Several words are a call that passed and a teardown that did not, or subtests.
        words = {*self.outcomes.get(test, "").split(" + "), word} - {""}
        self.outcomes[test] = " + ".join(sorted(words - {"passed"})) or "passed"
        if report.outcome == "failed":
            self.details[test] = self.details.get(test, "") + str(report.longrepr)
