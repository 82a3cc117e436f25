"""What is done once for many routes, seen in the plans for small live apps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.toolkit.migration.planning import Setbacks, Wish

from .small_projects import Planned, plan_for, work_in

HEAD = """\
import time

import {library}

app = {library}.Flask(__name__)


@app.get("/sleep")
def sleep():
    time.sleep(0.001)
    return "slept"


"""
DATABASE = """\
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy

app.config["SQLALCHEMY_DATABASE_URI"] = "{url}"
db = SQLAlchemy(app)


@app.get("/")
def index():
    return str(db.session.scalar(sa.text("SELECT 1")))
"""
CLIENTS = """\
import sqlite3

import redis

store = redis.Redis(port=1)


@app.get("/")
def index():
    connection = sqlite3.connect("a.db")
    try:
        time.sleep(0.001)
        return str(connection.execute("SELECT 1").fetchall())
    finally:
        connection.close()


@app.get("/store")
def show():
    time.sleep(0.001)
    return str(store.get("a"))
"""
RED = "A test turned red"

Plan = Callable[..., Planned]


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """Plan for an app whose text follows `HEAD`."""

    def write(text: str, library: str = "flask", unsafe: bool = False, **failed: str) -> Planned:
        stages = {name.replace("__", ":").replace("_", "-"): why for name, why in failed.items()}
        return plan_for(
            tmp_path,
            {"app.py": HEAD.format(library=library) + text},
            Wish(allow_unsafe=unsafe),
            Setbacks(stages=stages),
        )

    with work_in(tmp_path):
        yield write


def list_stages(planned: Planned) -> dict[str, tuple[str, ...]]:
    """What each stage needs, by its id, in their order."""
    return {stage.id: stage.needs for stage in planned.plan.stages}


def list_reasons(planned: Planned) -> dict[str, str]:
    """Why each route stays, that of static files left out."""
    return {left.route: left.reason for left in planned.plan.left if "static" not in left.route}


# The app's class


def test_app(plan: Plan) -> None:
    """The class comes first, every route needs it, and flasync must be installed."""
    planned = plan("")
    assert list_stages(planned) == {"app": (), "route:GET /sleep": ("app",)}
    assert planned.plan.stages[0].distributions == ("flasync",)


def test_app_that_runs(plan: Plan) -> None:
    """An app that starts a server by itself needs one for ASGI."""
    planned = plan('if __name__ == "__main__":\n    app.run()\n')
    assert planned.plan.stages[0].distributions == ("flasync[serve]",)


def test_app_of_flasync(plan: Plan) -> None:
    """An app that is flasync's already needs no such stage."""
    assert list_stages(plan("", library="flasync")) == {"route:GET /sleep": ()}


def test_app_that_fails(plan: Plan) -> None:
    """When the class alone turns a test red, all sync routes stay, and say so."""
    planned = plan(DATABASE.format(url="sqlite:///a.db"), app=RED)
    assert list_stages(planned) == {}
    assert list_reasons(planned) == {"GET /": RED, "GET /sleep": RED}


def test_app_elsewhere(plan: Plan) -> None:
    """An app whose class no line of the project names where it is made cannot be changed."""
    planned = plan(
        "class Other(flask.Flask):\n    def __call__(self, *args):\n        return 1\n\n\n"
        "app.__class__ = Other\n"
    )
    assert list_stages(planned) == {}
    assert list_reasons(planned)["GET /sleep"].startswith("No file of the project makes")
    assert planned.find_left("GET /sleep").advice


# The database


def test_database(plan: Plan) -> None:
    """An async URL frees all queries; only the routes that make some need it."""
    planned = plan(DATABASE.format(url="sqlite:///a.db"))
    assert list_stages(planned) == {
        "app": (),
        "database": (),
        "route:GET /": ("app", "database"),
        "route:GET /sleep": ("app",),
    }
    assert planned.calls == {("app.py", 10): ("time.sleep", "rewrite")}


def test_async_database(plan: Plan) -> None:
    """A URL that is async already frees the queries without a stage."""
    planned = plan(DATABASE.format(url="sqlite+aiosqlite:///a.db"))
    assert list_stages(planned) == {
        "app": (),
        "route:GET /": ("app",),
        "route:GET /sleep": ("app",),
    }


def test_database_that_fails(plan: Plan) -> None:
    """When the URL turns a test red, the routes that query stay, and say so."""
    planned = plan(DATABASE.format(url="sqlite:///a.db"), database=RED)
    assert list_stages(planned) == {"app": (), "route:GET /sleep": ("app",)}
    assert list_reasons(planned) == {"GET /": RED}


def test_database_in_memory(plan: Plan) -> None:
    """A database in memory stays, with its routes; what it lacks is no driver."""
    planned = plan(DATABASE.format(url="sqlite://"))
    assert list_stages(planned) == {"app": (), "route:GET /sleep": ("app",)}
    assert "GET /" in list_reasons(planned)


UNSAFE = DATABASE.format(url="postgresql+psycopg2://localhost/shop").replace(
    'sa.text("SELECT 1")', 'sa.text("SELECT :a"), {"a": 1}'
)


def test_unsafe_database(plan: Plan) -> None:
    """A URL whose change nobody can prove is changed only for who asks for that."""
    planned = plan(UNSAFE)
    assert "database" not in list_stages(planned)
    assert "--unsafe" in list_reasons(planned)["GET /"]
    assert list_stages(plan(UNSAFE, unsafe=True))["route:GET /"] == ("app", "database")


# Clients


def test_clients(plan: Plan) -> None:
    """Each library's clients are a stage, which the routes need that use them."""
    planned = plan(CLIENTS)
    assert list_stages(planned) == {
        "app": (),
        "client:redis-client": (),
        "client:sqlite3-connection": (),
        "route:GET /": ("app", "client:sqlite3-connection"),
        "route:GET /sleep": ("app",),
        "route:GET /store": ("app", "client:redis-client"),
    }


def test_client_that_fails(plan: Plan) -> None:
    """Calls of a client that stays sync go to a thread, unless it belongs to the one it is of."""
    planned = plan(CLIENTS, client__redis_client=RED, client__sqlite3_connection=RED + ", too")
    assert list_stages(planned) == {
        "app": (),
        "route:GET /sleep": ("app",),
        "route:GET /store": ("app",),
    }
    assert list_reasons(planned) == {"GET /": RED + ", too"}
    assert ("redis.Redis.get", "offload") in planned.calls.values()
    reasons = {change.name: change.reason for change in planned.changes if hasattr(change, "way")}
    assert reasons["redis.Redis.get"] == RED[:1].lower() + RED[1:]


def test_unused(plan: Plan) -> None:
    """Stages that no route builds upon are left out."""
    planned = plan("import redis\n\nstore = redis.Redis(port=1)\n")
    assert list(list_stages(planned)) == ["app", "route:GET /sleep"]
