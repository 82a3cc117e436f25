"""Plans of small projects: which stages there are, what is in each, and what stays."""

from pathlib import Path

import pytest

from flasync.toolkit.migration.plan import CallChange, StageKind, TextChange, get_span
from flasync.toolkit.migration.planning import Setbacks, Wish
from toolkit.migration.planners import (
    HEAD,
    LOADING,
    describe,
    find_stage,
    get_reason,
    opened_planner,
)

SHARED = (
    LOADING
    + """\
@app.get("/b")
def b():
    return load("b")


@app.get("/c")
def c():
    time.sleep(0.01)
    return "c"
"""
)
CALLS = (
    HEAD.replace("import time", "import requests")
    + """\
@app.get("/a")
def a():
    return requests.get("http://127.0.0.1:9/a", timeout=5).text


@app.get("/b")
def b():
    return requests.get("http://127.0.0.1:9/b", timeout=5).text
"""
)


def test_order_of_the_stages(tmp_path: Path) -> None:
    """The app comes first, then the routes that build upon it, the requirements, the server."""
    files = {"app.py": SHARED, "requirements.txt": "flask\n", "Procfile": "web: gunicorn app:app\n"}
    with opened_planner(tmp_path, files) as planner:
        plan = planner.plan(Wish(allow_unsafe=True))
        assert [stage.kind for stage in plan.stages] == [
            StageKind.APP,
            StageKind.ROUTE,
            StageKind.ROUTE,
            StageKind.REQUIREMENTS,
            StageKind.DEPLOYMENT,
        ]
        assert {stage.needs for stage in plan.stages if stage.routes} == {("app",)}
        safe = planner.plan()
    assert StageKind.DEPLOYMENT not in {stage.kind for stage in safe.stages}
    assert any(line.startswith("Procfile:1: ") for line in safe.by_hand)


def test_shared_helper_joins_routes(tmp_path: Path) -> None:
    """Routes that share a helper which becomes async move together, the others alone."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        plan = planner.plan()
    together = find_stage(plan, "route:GET /a")
    assert together.routes == ("GET /a", "GET /b")
    assert "together with one route that shares its helpers" in together.title
    assert describe(together) == [
        "async load",
        "rewrite time.sleep",
        "async a",
        "rewrite app.load",
        "async b",
        "rewrite app.load",
    ]
    assert find_stage(plan, "route:GET /c").routes == ("GET /c",)


def test_plain_helper_separates_routes(tmp_path: Path) -> None:
    """When a helper must stay plain, its routes move one by one, and it waits by itself."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        helper = get_span(find_stage(planner.plan(), "route:GET /a").changes[0])
        plan = planner.plan(setbacks=Setbacks(plain=frozenset({helper})))
    assert describe(find_stage(plan, "route:GET /a")) == ["rewrite time.sleep", "async a"]
    assert describe(find_stage(plan, "route:GET /b")) == ["rewrite time.sleep", "async b"]


def test_plain_view_is_marked(tmp_path: Path) -> None:
    """A view that turned a test red as a coroutine is marked @on_loop, with that reason."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        view = get_span(find_stage(planner.plan(), "route:GET /c").changes[0])
        plan = planner.plan(setbacks=Setbacks(plain=frozenset({view})))
    stage = find_stage(plan, "route:GET /c")
    assert describe(stage) == ["on_loop c", "rewrite time.sleep"]
    assert "turned a test red" in str(stage.changes[0])


def test_failed_route_stays(tmp_path: Path) -> None:
    """A route whose stage turned a test red stays with that sentence, and the others move."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        plan = planner.plan(setbacks=Setbacks(stages={"route:GET /c": "It turned red"}))
    assert get_reason(plan, "GET /c") == "It turned red"
    assert [stage.id for stage in plan.stages if stage.routes] == ["route:GET /a"]


def test_failed_app_keeps_all_routes(tmp_path: Path) -> None:
    """When the app's own stage fails, no route can move, and nothing is declared."""
    with opened_planner(tmp_path, {"app.py": SHARED, "requirements.txt": "flask\n"}) as planner:
        plan = planner.plan(setbacks=Setbacks(stages={"app": "It turned red"}))
    assert plan.stages == ()
    assert {get_reason(plan, f"GET /{name}") for name in "abc"} == {"It turned red"}


def test_stage_that_no_route_needs(tmp_path: Path) -> None:
    """Where no route moves, the app stays as it is."""
    calm = SHARED.replace("time.sleep(0.01)", "pass")
    with opened_planner(tmp_path, {"app.py": calm}) as planner:
        plan = planner.plan()
    assert plan.stages == ()
    assert len(plan.left) == 4


def test_wish_for_routes(tmp_path: Path) -> None:
    """Only what is wished for is planned, and nothing is said of the rest."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        plan = planner.plan(Wish(frozenset({"GET /b"})))
    (stage,) = (stage for stage in plan.stages if stage.routes)
    assert stage.routes == ("GET /b",)
    assert plan.left == ()


def test_wish_for_all_that_are_ready(tmp_path: Path) -> None:
    """Routes that wait for nothing move by that wish, but for those that Flask serves itself."""
    calm = SHARED.replace("time.sleep(0.01)", "pass")
    with opened_planner(tmp_path, {"app.py": calm}) as planner:
        plan = planner.plan(Wish(all_ready=True))
    moved = {route for stage in plan.stages for route in stage.routes}
    assert moved == {"GET /a", "GET /b", "GET /c"}
    assert [item.route for item in plan.left] == ["GET /static/<path:filename>"]


def test_http_module_is_made_once(tmp_path: Path) -> None:
    """Each route that needs the HTTP client makes the same module, and declares the client."""
    files = {"app.py": CALLS, "requirements.txt": "flask\nrequests\n"}
    with opened_planner(tmp_path, files) as planner:
        plan = planner.plan(Wish(http="niquests"))
    modules = [
        change
        for stage in plan.stages
        for change in stage.changes
        if isinstance(change, TextChange) and change.edit.file == "http_client.py"
    ]
    assert len(modules) == 2
    assert len(set(modules)) == 1
    for id in ("route:GET /a", "route:GET /b"):
        assert "niquests>=3.15" in find_stage(plan, id).distributions
    texts = [
        change.edit.text for change in plan.stages[-1].changes if isinstance(change, TextChange)
    ]
    assert "niquests" in "".join(texts)


def test_nothing_is_planned_twice(tmp_path: Path) -> None:
    """Within a stage every call and function is changed once, and never in two ways in a plan."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        plan = planner.plan()
    for stage in plan.stages:
        calls = [get_span(change) for change in stage.changes if isinstance(change, CallChange)]
        assert len(calls) == len(set(calls))
    everything = {change for stage in plan.stages for change in stage.changes}
    assert len({get_span(change) for change in everything}) == len(everything)


def test_view_of_two_routes(tmp_path: Path) -> None:
    """Two routes with one view move together."""
    text = SHARED.replace('@app.get("/c")', '@app.get("/c")\n@app.post("/d")')
    with opened_planner(tmp_path, {"app.py": text}) as planner:
        plan = planner.plan()
    assert find_stage(plan, "route:GET /c").routes == ("GET /c", "POST /d")


@pytest.mark.parametrize("is_moved", [False, True])
def test_routes_on_the_loop(is_moved: bool, tmp_path: Path) -> None:
    """A route that runs on the loop is counted as such; one that blocks there is freed."""
    wait = "await asyncio.sleep(0.01)" if is_moved else "time.sleep(0.01)"
    text = HEAD.replace("import time", "import asyncio\nimport time").replace(
        "flask.Flask", "flasync.Flask"
    )
    text = text.replace("import flask\n", "import flasync\n") + (
        f'@app.get("/")\nasync def index():\n    {wait}\n    return "a"\n'
    )
    with opened_planner(tmp_path, {"app.py": text}) as planner:
        plan = planner.plan()
    if is_moved:
        assert plan.moved_before == ("GET /",)
        assert plan.stages == ()
    else:
        assert describe(find_stage(plan, "route:GET /")) == ["rewrite time.sleep"]


def test_unreadable_file_is_a_note(tmp_path: Path) -> None:
    """What LibCST cannot read is named, and the rest is planned."""
    with opened_planner(tmp_path, {"app.py": SHARED}) as planner:
        planner.files.unreadable["odd.py"] = "odd"
        plan = planner.plan()
    assert plan.notes == ("odd.py cannot be read, and stays as it is: odd",)
    assert plan.stages
