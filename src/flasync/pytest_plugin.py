"""Fixtures for your own tests: do requests overlap, does any of them hold the event loop?

    # conftest.py
    pytest_plugins = ["flasync.pytest_plugin"]

    # test_weather.py
    def test_weather(assert_overlaps, assert_no_stall):
        assert_overlaps("/weather", n=20)
        with assert_no_stall(threshold_ms=50) as client:
            assert client.get("/weather").status_code == 200

The app is that of your fixture `app`, a Flask object; without one, that of `FLASK_APP`. It runs in
the test's process, on flasync's event loop and without a server: `toolkit.verifying.in_process`.

Nothing of the toolkit is loaded before one of the fixtures is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

import pytest
from flask import Flask

if TYPE_CHECKING:
    from werkzeug.test import Client

    from flasync.toolkit.verifying.in_process import RunningApp
    from flasync.toolkit.verifying.run import Judgement, Route

__all__ = ["AssertOverlaps", "assert_no_stall", "assert_overlaps"]

# Milliseconds without a pause from which on the users of other requests notice.
MAX_HOLD_MS = 50.0

# Columns of the report that is shown for a failure.
_REPORT_WIDTH = 100


class AssertOverlaps(Protocol):
    """What the fixture `assert_overlaps` is."""

    def __call__(
        self,
        path: str,
        n: int = 20,
        min_overlap: float | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Judgement:
        """Fail the test unless requests that are sent at once overlap.

        Args:
            path: With its query.
            n: How many are sent at once.
            min_overlap: How many must run at a time, 1 to n; None: half of them.
            method: The method of the requests.
            headers: Sent with each.

        Returns:
            The verdict, with its figures.
        """


@pytest.fixture
def _flasync_app(request: pytest.FixtureRequest) -> Flask:
    """The Flask object of the fixture `app`, or of `FLASK_APP`."""
    from flasync.serving.location import load_flask_app  # noqa: PLC0415  not before it is needed

    try:
        app = request.getfixturevalue("app")
    except pytest.FixtureLookupError as error:
        if error.argname != "app":
            raise
        return load_flask_app(os.environ.get("FLASK_APP"))
    if not isinstance(app, Flask):
        raise TypeError(
            f"The fixture 'app' gave {app!r}, which is no flask.Flask object. Return the Flask"
            " object itself."
        )
    return app


@pytest.fixture
def _flasync_running(_flasync_app: Flask) -> Iterator[RunningApp]:
    """The app with its startup hooks run, until the test ends."""
    from flasync.toolkit.extras import require_packages  # noqa: PLC0415  as above

    require_packages(("rich",), "flasync.pytest_plugin")
    from flasync.toolkit.verifying.in_process import run_in_process  # noqa: PLC0415  as above

    with run_in_process(_flasync_app) as running:
        yield running


@pytest.fixture
def assert_overlaps(_flasync_app: Flask, _flasync_running: RunningApp) -> AssertOverlaps:
    """A function that fails the test unless requests to a path overlap: see `AssertOverlaps`."""
    from flasync.toolkit.tracing.memory_client import Message  # noqa: PLC0415  as above
    from flasync.toolkit.verifying.holds import find_holds  # noqa: PLC0415  as above
    from flasync.toolkit.verifying.in_process import COST_MS  # noqa: PLC0415  as above
    from flasync.toolkit.verifying.judging import judge  # noqa: PLC0415  as above
    from flasync.toolkit.verifying.run import Measured, Outcome, Route  # noqa: PLC0415  as above

    def check(
        path: str,
        n: int = 20,
        min_overlap: float | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Judgement:
        __tracebackhide__ = True
        least = 1 if min_overlap is None else min_overlap
        if n < 2 or not 1 <= least <= n:  # noqa: PLR2004  one overlaps with nothing
            raise ValueError(f"{least!r} of {n!r} requests cannot run at a time.")
        sent = {"User-Agent": "flasync-verify", **(headers or {})}
        message = Message(method.upper(), path, list(sent.items()))
        load = _flasync_running.run_load(message, n)
        holds = find_holds(load)
        judgement = judge(load, holds, client_ms=COST_MS, min_overlap=min_overlap)
        if judgement.outcome is not Outcome.OVERLAPS:
            measured = Measured("flasync in this process", load, holds, judgement)
            _print_report(_flasync_app.name, Route(message.method, path, None, (measured,)))
            pytest.fail(f"{message.method} {path}: {judgement.sentence}", pytrace=False)
        return judgement

    return check


@pytest.fixture
def assert_no_stall(
    _flasync_app: Flask, _flasync_running: RunningApp
) -> Callable[..., AbstractContextManager[Client]]:
    """A context manager that fails the test if a request within it holds the loop for too long.

    It takes `threshold_ms`, the milliseconds that a request may run without a pause, and gives a
    client like `app.test_client()`, whose requests take the lanes that they take on a server.
    """
    from flasync.toolkit.verifying.loop_holds import find_loop_holds  # noqa: PLC0415  as above

    @contextmanager
    def check(threshold_ms: float = MAX_HOLD_MS) -> Iterator[Client]:
        __tracebackhide__ = True
        sent_before = len(_flasync_running.answers)
        yield _flasync_running.build_client(_flasync_app)
        answers = _flasync_running.answers[sent_before:]
        _flasync_running.collect_marks(answers)
        holds = [
            str(hold)
            for answer in answers
            for hold in find_loop_holds(
                f"{answer.message.method} {answer.message.target}", answer.marks, threshold_ms
            )
        ]
        if holds:
            pytest.fail("\n".join(holds), pytrace=False)

    return check


def _print_report(app: str, route: Route) -> None:
    """Print the report of `flasync verify`; pytest shows it with the failure."""
    from flasync.toolkit.report.terminal import build_console  # noqa: PLC0415  as above
    from flasync.toolkit.report.verify_text import print_run  # noqa: PLC0415  as above
    from flasync.toolkit.verifying.run import Run  # noqa: PLC0415  as above

    console = build_console()
    console.width = _REPORT_WIDTH
    print_run(Run(app, "", len(route.measured[-1].load.requests), (route,)), console)
