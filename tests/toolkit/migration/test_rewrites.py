"""One call: replaced by its async twin, refused with a reason, or unknown."""

from pathlib import Path

import pytest

from flasync.toolkit.migration.plan import CallChange
from flasync.toolkit.migration.planning import Wish
from toolkit.migration.planners import HEAD, describe, find_stage, opened_planner

VIEW = """\
@app.get("/")
def index():
    time.sleep(0.01)
    return "index"
"""


def plan_call(root: Path, tests: str, view: str = VIEW) -> CallChange:
    """How the one call of a view is freed, beside these tests."""
    with opened_planner(root, {"app.py": HEAD + view, "test_app.py": tests}) as planner:
        stage = find_stage(planner.plan(Wish(frozenset({"GET /"}))), "route:GET /")
    (change,) = (change for change in stage.changes if isinstance(change, CallChange))
    return change


def test_twin(tmp_path: Path) -> None:
    """A call with a recipe is rewritten."""
    change = plan_call(tmp_path, "")
    assert (change.way.value, change.recipe) == ("rewrite", "time-sleep")


@pytest.mark.parametrize(
    "tests",
    [
        "from unittest import mock\n\n@mock.patch('time.sleep')\ndef test_a(it):\n    pass\n",
        "def test_a(monkeypatch):\n    monkeypatch.setattr('app.time.sleep', print)\n",
        "import app\n\ndef test_a(mocker):\n    mocker.patch.object(app.time, 'sleep')\n",
    ],
)
def test_call_that_the_tests_replace(tests: str, tmp_path: Path) -> None:
    """It keeps its name and goes to a thread, so that the patch still reaches it."""
    change = plan_call(tmp_path, tests)
    assert (change.way.value, change.recipe) == ("offload", "")
    assert change.reason.startswith("the tests put something in its place")


def test_tests_that_replace_something_else(tmp_path: Path) -> None:
    """Another call's patch is no obstacle."""
    tests = "def test_a(monkeypatch):\n    monkeypatch.setattr('os.getcwd', print)\n"
    assert plan_call(tmp_path, tests).way.value == "rewrite"


def test_twin_that_needs_a_loop(tmp_path: Path) -> None:
    """In a function that stays plain, a twin that only a loop can make gives way to a thread."""
    text = """\
import socket


def look_up():
    return socket.getaddrinfo("localhost", 80)


STARTED = look_up()


@app.get("/")
def index():
    look_up()
    return str(socket.getaddrinfo("localhost", 80))
"""
    with opened_planner(tmp_path, {"app.py": HEAD + text}) as planner:
        stage = find_stage(planner.plan(), "route:GET /")
    assert describe(stage) == [
        "offload socket.getaddrinfo",
        "async index",
        "rewrite socket.getaddrinfo",
    ]
    assert "async function" in str(stage.changes[0])
