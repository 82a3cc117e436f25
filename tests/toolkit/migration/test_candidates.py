"""Which routes move, and the reason for each that stays."""

from pathlib import Path

import pytest

from flasync.toolkit.migration.planning import Wish
from toolkit.migration.planners import HEAD, describe, find_stage, get_reason, opened_planner

STAYING = {
    "nothing waits": (
        """\
@app.get("/")
def index():
    return "quick"
""",
        "on its way waits",
    ),
    "computes": (
        """\
@app.get("/<int:size>")
def index(size):
    time.sleep(0.01)
    return str(sum(row * column for row in range(size) for column in range(size)))
""".replace("/<int:size>", "/").replace("def index(size):", "def index(size=3):"),
        "it computes in nested loops, at app.py:",
    ),
    "only its thread would change": (
        """\
import socket


@app.get("/")
def index():
    return str(socket.create_connection(("127.0.0.1", 9)))
""",
        "of which no async twin is known: a thread does that",
    ),
    "its recipe declines": (
        """\
import requests


@app.get("/")
def index():
    return requests.get("http://127.0.0.1:9", auth=flask.g.auth).text
""",
        "it waits in `requests.get`, and a thread does that: `auth` may be an object",
    ),
    "a recipe declines each": (
        """\
import requests


@app.get("/")
def index():
    first = requests.get("http://127.0.0.1:9", auth=flask.g.auth).text
    time.sleep(-1)
    return first + requests.post("http://127.0.0.1:9", auth=flask.g.auth).text
""",
        "in `requests.get`, `requests.post`, and a thread does that: `auth` may be",
    ),
    "takes a lock": (
        """\
import threading

lock = threading.Lock()


@app.get("/")
def index():
    with lock:
        time.sleep(0.01)
    return "locked"
""",
        "lock",
    ),
    "hidden by a decorator": (
        """\
def shout(view):
    def run(*args, **kwargs):
        return view(*args, **kwargs).upper()

    run.__name__ = view.__name__
    return run


@app.get("/")
@shout
def index():
    time.sleep(0.01)
    return "quiet"
""",
        "hides it, for lack of functools.wraps",
    ),
    "waits for the console": (
        """\
@app.get("/")
def index():
    time.sleep(0.01)
    return input()
""",
        "no thread can do for it",
    ),
}


@pytest.mark.parametrize("case", STAYING.values(), ids=STAYING.keys())
def test_reason_to_stay(case: tuple[str, str], tmp_path: Path) -> None:
    """A route that cannot gain, or must not move, stays with the reason."""
    text, reason = case
    with opened_planner(tmp_path, {"app.py": HEAD + text}) as planner:
        plan = planner.plan()
    assert reason in get_reason(plan, "GET /")
    assert not any(stage.routes for stage in plan.stages)


@pytest.mark.parametrize("name", ["nothing waits", "computes", "only its thread would change"])
def test_named_route_moves(name: str, tmp_path: Path) -> None:
    """A route that only gains little moves when it is named."""
    with opened_planner(tmp_path, {"app.py": HEAD + STAYING[name][0]}) as planner:
        plan = planner.plan(Wish(frozenset({"GET /"})))
    assert find_stage(plan, "route:GET /").routes == ("GET /",)
    assert plan.left == ()


@pytest.mark.parametrize("name", ["takes a lock", "hidden by a decorator", "waits for the console"])
def test_named_route_that_must_not_move(name: str, tmp_path: Path) -> None:
    """What would go wrong on the loop stays even when it is named."""
    with opened_planner(tmp_path, {"app.py": HEAD + STAYING[name][0]}) as planner:
        plan = planner.plan(Wish(frozenset({"GET /"})))
    assert plan.stages == ()
    assert STAYING[name][1] in get_reason(plan, "GET /")


def test_static_files_stay(tmp_path: Path) -> None:
    """Flask's own route for static files is no function of the project."""
    with opened_planner(tmp_path, {"app.py": HEAD}) as planner:
        plan = planner.plan()
    assert get_reason(plan, "GET /static/<path:filename>") == (
        "its view is not a function of the project"
    )


def test_hooks_are_freed_with_the_route(tmp_path: Path) -> None:
    """What hooks and error handlers wait for is freed with the first route that they run for."""
    text = (
        HEAD
        + """\
@app.before_request
def greet():
    time.sleep(0.01)


@app.errorhandler(404)
def missing(error):
    time.sleep(0.02)
    return "missing", 404


@app.get("/")
def index():
    return "index"
"""
    )
    with opened_planner(tmp_path, {"app.py": text}) as planner:
        plan = planner.plan()
    stage = find_stage(plan, "route:GET /")
    assert describe(stage) == ["rewrite time.sleep", "rewrite time.sleep", "async index"]


@pytest.mark.parametrize("colour", ["async ", ""])
def test_unknown_calls(colour: str, tmp_path: Path) -> None:
    """What leads to the unknown stays, unless it runs on the loop already."""
    text = f"""\
@app.get("/")
{colour}def index():
    return getattr(flask, flask.request.args["name"])()
"""
    with opened_planner(tmp_path, {"app.py": HEAD + text}) as planner:
        plan = planner.plan()
    if colour:
        assert plan.moved_before == ("GET /",)
    else:
        assert "could not be followed" in get_reason(plan, "GET /")


@pytest.mark.parametrize(
    ("wait", "colour", "moves"),
    [
        ("flasync.await_(asyncio.sleep(0.001))", "", True),
        ("store.ping()", "", True),
        ("store.ping()", "async ", False),
        ("flasync.call_in_thread(time.sleep, 0.001)", "", False),
    ],
)
def test_route_left_by_another_migration(
    wait: str, colour: str, moves: bool, tmp_path: Path
) -> None:
    """A view in a thread gains although all that it waits for is async already."""
    text = f"""\
import asyncio
import functools

import flasync
import redis.asyncio

store = flasync.bridged(functools.partial(redis.asyncio.Redis, port=1))


def pause():
    {wait}


@app.get("/")
{colour}def index():
    pause()
    return "a"
"""
    with opened_planner(tmp_path, {"app.py": HEAD + text}) as planner:
        plan = planner.plan()
    routes = [stage for stage in plan.stages if stage.routes]
    assert [describe(stage) for stage in routes] == [["async index"]] * moves
    assert plan.moved_before == ("GET /",) * bool(colour)


ASYNC_DATABASE = """\
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy

app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite+aiosqlite:///a.db"
db = SQLAlchemy(app)


def wait():
    return str(db.session.scalar(sa.text("SELECT 1")))
"""
AWAITED = """\
import asyncio

import flasync


def wait():
    flasync.await_(asyncio.sleep(0.001))
"""


@pytest.mark.parametrize("helper", [ASYNC_DATABASE, AWAITED], ids=["database", "await_"])
def test_unknown_calls_beside_what_is_async(helper: str, tmp_path: Path) -> None:
    """A route whose known waits are async already moves, as one whose waits are freed does."""
    view = """\


@app.get("/")
def index():
    wait()
    return getattr(flask, flask.request.args["name"])()
"""
    with opened_planner(tmp_path, {"app.py": HEAD + helper + view}) as planner:
        plan = planner.plan()
    assert find_stage(plan, "route:GET /").routes == ("GET /",)
