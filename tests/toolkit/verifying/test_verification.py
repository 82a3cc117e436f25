"""Verifications from end to end: real apps on real servers, with several routes and stacks."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import open_browser
from flasync.errors import AppStartError, VerifyError
from flasync.toolkit.verifying.comparing import CHANGES_BY_ITSELF
from flasync.toolkit.verifying.run import Outcome, Phase, Route, Run, Sameness
from flasync.toolkit.verifying.stacks import Stack, serve_flasync
from flasync.toolkit.verifying.verification import (
    STOCK,
    Order,
    Progress,
    Step,
    hide_password,
    verify,
)
from serving.processes import clean_environ

# The pauses are long beside the work around them, by which a busy machine delays each request.
APP = """
import asyncio
import itertools
import os
import time
import flask

app = flask.Flask(__name__)
app.secret_key = "secret"
numbers = itertools.count()
everybody = asyncio.Event()

@app.get("/waiting")
async def waiting():
    await asyncio.sleep(0.2)
    return flask.request.query_string

@app.get("/sync")
def sync():
    time.sleep(0.2)
    return "done"

@app.get("/blocking")
async def blocking():
    time.sleep(0.08)
    return "done"

@app.post("/add")
def add():
    time.sleep(0.1)
    return [flask.request.json["a"], flask.request.headers["X-Color"]]

@app.get("/mine/<name>")
def mine(name):
    response = flask.redirect(flask.url_for("sync", user=flask.session["user"], _external=True))
    response.headers["X-Server"] = flask.request.environ.get("SERVER_SOFTWARE", "flasync")
    response.data = str(time.perf_counter_ns())
    return response

@app.get("/gathering/<int:alone>/<int:together>")
async def gathering(alone, together):
    number = next(numbers)
    if number < alone:
        await asyncio.sleep(0.02)  # Three of a baseline are enough then.
    else:
        if number == alone + together - 1:
            everybody.set()
        await everybody.wait()
    return "done"

@app.get("/login/<user>")
def login(user):
    flask.session["user"] = user
    return "welcome"

@app.get("/dying/<int:alone>")
def dying(alone):
    if next(numbers) >= alone:
        os._exit(9)
    return "done"
"""

LOGIN = """
import urllib.request

def login(url):
    with urllib.request.urlopen(url + "/login/ada") as response:
        return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "sign_in.py").write_text(LOGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", clean_environ())
    return tmp_path


@pytest.fixture
def running(folder: Path) -> Iterator[Stack]:
    """The app on a server that somebody else has started."""
    with serve_flasync("app", folder) as stack:
        yield stack


def find_route(run: Run, path: str) -> Route:
    """The route of a run with this path."""
    return next(route for route in run.routes if route.path == path)


def test_all_routes() -> None:
    """All GET routes without arguments are measured, each with its lane, marks and verdict."""
    told: list[Progress] = []
    run = verify(Order("app", requests=8, min_overlap=2, command="flasync verify"), told.append)
    assert (run.app, run.command, run.requests) == ("app", "flasync verify", 8)
    assert run.client_ms > 0
    assert run.cores > 0
    lanes = {route.path: route.lane for route in run.routes}
    assert lanes == {"/waiting": "loop", "/sync": "thread", "/blocking": "loop"}
    outcomes = {route.path: route.measured[0].judgement.outcome for route in run.routes}
    assert outcomes == {
        "/waiting": Outcome.OVERLAPS,
        "/sync": Outcome.OVERLAPS,
        "/blocking": Outcome.SERIAL,
    }
    (measured,) = find_route(run, "/blocking").measured
    assert measured.stack == "flasync on uvicorn"
    assert (measured.holds[0].phase, measured.holds[0].call) == (Phase.LOOP, "time.sleep")
    assert measured.judgement.cause == "loop"
    assert_load_is_whole(find_route(run, "/waiting"), 8)
    assert_progress_is_told(told, run)


def assert_load_is_whole(route: Route, count: int) -> None:
    """Fail unless a load of so many has all that a stack of ours can give."""
    (measured,) = route.measured
    load = measured.load
    assert len(load.requests) == count
    assert len(load.baseline) == 3
    assert len(load.calm) >= 10
    assert load.pings
    assert load.cpu_ms is not None
    for request in (*load.baseline, *load.requests):
        waits = [mark for mark in request.marks if mark.phase is Phase.AWAITING]
        longest = max(waits, key=lambda mark: mark.end_ms - mark.start_ms)
        # The marks are on the load's clock.
        assert request.start_ms < longest.start_ms < longest.end_ms < request.end_ms
        assert longest.call == "asyncio.sleep"


def assert_progress_is_told(told: list[Progress], run: Run) -> None:
    """Fail unless each step was told in order, with the number of loads that are done."""
    steps = [progress.step for progress in told if progress.step is not Step.LOADING]
    assert steps == [Step.STARTING, Step.MEASURING_COST, *[Step.ROUTE_DONE] * 3]
    done = [progress for progress in told if progress.step is Step.ROUTE_DONE]
    assert [progress.route for progress in done] == list(run.routes)
    assert [(progress.loads_done, progress.loads) for progress in done] == [(1, 3), (2, 3), (3, 3)]
    assert max(progress.answered for progress in told) == 8


def test_stock_flask_beside_flasync(folder: Path) -> None:
    """The loads of two stacks take turns, and what their answers differ in is told."""
    told: list[Progress] = []
    paths = ("/waiting?a=b%20c", "/mine/a")
    order = Order(
        "app",
        routes=tuple(("GET", path) for path in paths),
        requests=4,
        login=folder / "sign_in.py",
        compare=STOCK,
    )
    run = verify(order, told.append)
    stacks = ["Flask on gunicorn, 40 threads", "flasync on uvicorn"]
    for route in run.routes:
        assert [measured.stack for measured in route.measured] == stacks
        for measured in route.measured:
            assert {request.failure for request in measured.load.requests} == {None}
    loading = [progress.stack for progress in told if progress.step is Step.LOADING]
    turns = [stack for number, stack in enumerate(loading) if stack != loading[number - 1]]
    assert turns == stacks * 3 * len(paths)
    waiting, mine = (route.sameness for route in run.routes)
    assert waiting == Sameness()
    assert mine is not None
    assert (mine.status, mine.body) == ("", CHANGES_BY_ITSELF)
    assert re.fullmatch("X-Server: 'gunicorn/.*' became 'flasync'", mine.headers)
    requests = [route.measured[1].load.requests[0] for route in run.routes]
    assert [request.status for request in requests] == [200, 302]


def test_a_revision_beside_today(folder: Path) -> None:
    """The app of another revision is measured beside that of the files."""
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for arguments in (["init", "-q"], ["add", "app.py"], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *arguments], check=True, cwd=folder)
    (folder / "app.py").write_text(
        APP.replace("    time.sleep(0.08)", "    await asyncio.sleep(0.08)", 1)
    )
    order = Order("app", routes=(("GET", "/blocking"),), requests=8, compare="HEAD", min_overlap=2)
    (route,) = verify(order).routes
    old, new = route.measured
    assert old.stack.startswith("flasync at ")
    assert old.judgement.outcome is Outcome.SERIAL
    assert new.judgement.outcome is Outcome.OVERLAPS
    assert route.sameness == Sameness()


def test_a_server_that_runs_already(running: Stack) -> None:
    """A server is asked where it is; its header tells what it was at."""
    routes = (("GET", "/waiting"), ("POST", "/add"))
    body = b'{"a": 1}'
    headers = (("Content-Type", "application/json"), ("X-Color", "red"))
    order = Order(
        routes=routes, requests=4, url=f"{running.url}/", headers=headers, body=body, min_overlap=1
    )
    run = verify(order)
    assert run.app == f"{running.url}/"
    for route in run.routes:
        (measured,) = route.measured
        assert measured.stack == running.url
        assert {request.status for request in measured.load.requests} == {200}
        assert measured.load.cpu_ms is None
        assert route.lane is None
    first = run.routes[0].measured[0].load.requests[0]
    phases = {mark.phase: mark.end_ms - mark.start_ms for mark in first.marks}
    assert phases[Phase.AWAITING] > first.duration_ms / 2 > phases[Phase.LOOP]


def test_routes_by_name_in_a_browser() -> None:
    """Routes may be named as the app names them, and loaded from a browser as well."""
    with open_browser():
        pass  # skips where there is none
    told: list[Progress] = []
    routes = (("POST", "/add"), ("GET", "/sync"))
    headers = (("Content-Type", "application/json"), ("X-Color", "red"))
    body = b'{"a": 1}'
    order = Order("app", routes, ("sync",), 4, headers, body, browser=True)
    add, sync = verify(order, told.append).routes
    assert (add.path, sync.path) == ("/add", "/sync")
    assert add.measured[0].browser is None  # which is no GET
    times = sync.measured[0].browser
    assert times is not None
    assert (len(times.fetches_ms), times.failed) == (4, 0)
    assert [progress.path for progress in told if progress.step is Step.BROWSING] == ["/sync"]


@pytest.mark.parametrize("order", [Order(url="http://127.0.0.1:9"), Order("none")])
def test_nothing_to_ask_for(order: Order, folder: Path) -> None:
    """Where nobody tells routes, and none is named, that is said."""
    (folder / "none.py").write_text("import flask\n\napp = flask.Flask(__name__)\n")
    with pytest.raises(VerifyError, match="Name a path: flasync verify /path"):
        verify(order)


def test_nothing_listens() -> None:
    """A server that does not run gives no verdict, and the reason."""
    (route,) = verify(Order(url="http://127.0.0.1:9", routes=(("GET", "/"),), requests=2)).routes
    (measured,) = route.measured
    assert measured.judgement.outcome is Outcome.FAILED
    assert "the connection was refused: nothing listens there" in measured.judgement.sentence


@pytest.mark.parametrize("alone", [0, 30])
def test_a_server_that_dies(alone: int) -> None:
    """A server that ends at the first request, or under the load, is no verdict."""
    with pytest.raises(AppStartError, match="ended with exit code 9"):
        verify(Order("app", routes=(("GET", f"/dying/{alone}"),), requests=40))


def test_two_thousand_requests() -> None:
    """Two thousand requests are under way at the same time, none fails, and all are explained."""
    # After a warm-up and a baseline, nobody is answered before all of them are there.
    run = verify(Order("app", routes=(("GET", "/gathering/4/2000"),), requests=2000))
    (measured,) = run.routes[0].measured
    requests = measured.load.requests
    assert [request.status for request in requests] == [200] * 2000
    assert all(request.marks for request in requests)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://eva:s3cret@shop.example/a?b=c", "https://eva:***@shop.example/a?b=c"),
        ("https://eva@shop.example", "https://eva@shop.example"),
    ],
)
def test_passwords_stay_out_of_reports(url: str, shown: str) -> None:
    """The URL of a server is shown without the password in it."""
    assert hide_password(url) == shown
