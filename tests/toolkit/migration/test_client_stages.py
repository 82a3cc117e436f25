"""The clients of one library: all of them become async behind a sync face, or none."""

from pathlib import Path

import pytest

from flasync.toolkit.migration.plan import StageKind
from toolkit.migration.planners import HEAD, describe, find_stage, get_reason, opened_planner

CACHE = (
    HEAD.replace("import time", "import redis")
    + """\
cache = redis.Redis("127.0.0.1", 6379)
{more}

@app.get("/")
def index():
    return str(cache.get("a"))


@app.get("/quick")
def quick():
    return "quick"
"""
)
CLIENT = "client:redis-client"


def test_one_stage_for_all_clients(tmp_path: Path) -> None:
    """Every client of the library is replaced in one stage, on which its routes build."""
    text = CACHE.format(more='other = redis.Redis("127.0.0.1", 6380)\n')
    with opened_planner(tmp_path, {"app.py": text}) as planner:
        plan = planner.plan()
    stage = find_stage(plan, CLIENT)
    assert stage.kind is StageKind.CLIENT
    assert describe(stage) == ["bridge redis.Redis", "bridge redis.Redis"]
    assert stage.distributions == ("redis>=5",)
    route = find_stage(plan, "route:GET /")
    assert CLIENT in route.needs
    assert describe(route) == ["async index"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            'queue = redis.Redis("127.0.0.1", 6379, max_connections=3)\n',
            "`redis.Redis` at app.py:9: it is made with `max_connections`",
        ),
        ("print(cache.connection_pool)\n", "`redis.Redis` at app.py:8: its `connection_pool`"),
    ],
)
def test_one_that_must_stay_keeps_all(more: str, reason: str, tmp_path: Path) -> None:
    """A client that must stay sync keeps the others sync, since their calls look alike."""
    with opened_planner(tmp_path, {"app.py": CACHE.format(more=more)}) as planner:
        plan = planner.plan()
    assert CLIENT not in {stage.id for stage in plan.stages}
    assert not any(stage.routes for stage in plan.stages)
    assert f"it waits in `redis.Redis.get`, and a thread does that: {reason}" in get_reason(
        plan, "GET /"
    )


def test_clients_that_the_tests_replace(tmp_path: Path) -> None:
    """A client class in whose place the tests put another one stays."""
    tests = "def test_a(monkeypatch):\n    monkeypatch.setattr('redis.Redis', print)\n"
    files = {"app.py": CACHE.format(more=""), "test_app.py": tests}
    with opened_planner(tmp_path, files) as planner:
        plan = planner.plan()
    assert CLIENT not in {stage.id for stage in plan.stages}
    assert "the tests put something in the place of `redis.Redis`" in get_reason(plan, "GET /")


def test_clients_that_no_route_uses(tmp_path: Path) -> None:
    """Without a route that gains by it, no client is replaced."""
    text = CACHE.format(more="").replace('str(cache.get("a"))', '"a"')
    with opened_planner(tmp_path, {"app.py": text}) as planner:
        assert planner.plan().stages == ()
