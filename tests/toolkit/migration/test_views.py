"""What the view of a route is, and how it gets onto the event loop, seen in plans for live apps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .small_projects import Planned, plan_for, work_in

HEAD = """\
import functools
import time

import flask
from flask.views import MethodView, View

app = flask.Flask(__name__)


def passing(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper


def shouting(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs).upper()

    return wrapper


def hiding(view):
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper


"""

Plan = Callable[[str], Planned]


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """Plan for an app whose text follows `HEAD`."""
    with work_in(tmp_path):
        yield lambda text: plan_for(tmp_path, {"app.py": HEAD + text})


def test_async(plan: Plan) -> None:
    """Views that Flask alone calls, and awaits, become `async def`, and answer the same."""
    planned = plan(
        """\
@app.get("/0")
def function():
    time.sleep(0.001)
    return "0"


@app.get("/1")
@passing
def wrapped():
    time.sleep(0.001)
    return "1"


class Books(MethodView):
    def get(self):
        time.sleep(0.001)
        return "2"


class Shelf(View):
    def dispatch_request(self):
        time.sleep(0.001)
        return "3"


class Loud(MethodView):
    decorators = [shouting]

    def get(self):
        time.sleep(0.001)
        return "four"


class Service:
    def index(self):
        time.sleep(0.001)
        return "5"

    @staticmethod
    def check():
        time.sleep(0.001)
        return "6"


@app.get("/7")
@app.get("/8")
def twice():
    time.sleep(0.001)
    return "7, 8"


app.add_url_rule("/2", view_func=Books.as_view("books"))
app.add_url_rule("/3", view_func=Shelf.as_view("shelf"))
app.add_url_rule("/4", view_func=Loud.as_view("loud"))
app.add_url_rule("/5", view_func=Service().index)
app.add_url_rule("/6", view_func=Service.check)
"""
    )
    assert set(planned.colours.values()) == {"async"}
    assert len(planned.colours) == 8
    [pair] = [stage.routes for stage in planned.route_stages if len(stage.routes) > 1]
    assert pair == ("GET /7", "GET /8")
    answers = ["0", "1", "2", "3", "FOUR", "5", "6", "7, 8", "7, 8"]
    assert planned.run(*(f"/{number}" for number in range(9))) == [(200, it) for it in answers]


def test_on_loop(plan: Plan) -> None:
    """Views that somebody calls, hands on or reads stay plain on the loop, and answer the same."""
    planned = plan(
        """\
@app.get("/0")
@shouting
def read():
    time.sleep(0.001)
    return "zero"


@app.get("/1")
def generator():
    time.sleep(0.001)
    yield "1"


def given(value):
    time.sleep(0.001)
    return value


def make(value):
    def made():
        time.sleep(0.001)
        return value

    return made


class Own(MethodView):
    def dispatch_request(self, **values):
        return super().dispatch_request(**values).upper()

    def get(self):
        time.sleep(0.001)
        return "five"


class Base(MethodView):
    def get(self):
        time.sleep(0.001)
        return "6"


class Over(Base):
    def get(self):
        return super().get() + ", 7"


@app.get("/8")
def called():
    time.sleep(0.001)
    return "8"


@app.get("/9")
def caller():
    return called() + ", 9"


app.add_url_rule("/2", endpoint="given", view_func=functools.partial(given, "2"))
app.add_url_rule("/3", endpoint="made3", view_func=make("3"))
app.add_url_rule("/4", endpoint="made4", view_func=make("4"))
app.add_url_rule("/5", view_func=Own.as_view("own"))
app.add_url_rule("/6", view_func=Base.as_view("base"))
app.add_url_rule("/7", view_func=Over.as_view("over"))
"""
    )
    names = {name for name, colour in planned.colours.items() if colour == "on_loop"}
    assert names == {
        "app.read",
        "app.generator",
        "app.given",
        "app.make.made",
        "app.Own.get",
        "app.Base.get",
        "app.called",
    }
    assert planned.colours["app.caller"] == planned.colours["app.Over.get"] == "async"
    answers = ["ZERO", "1", "2", "3", "4", "FIVE", "6", "6, 7", "8", "8, 9"]
    assert planned.run(*(f"/{number}" for number in range(10))) == [(200, it) for it in answers]


LEFT = {
    "a decorator without wraps": (
        '@app.get("/")\n@hiding\ndef index():\n    time.sleep(0.001)\n    return "a"\n',
        "the decorator around its view (hiding.<locals>.wrapper) hides it",
    ),
    "a lambda": (
        'app.add_url_rule("/", "index", lambda: str(time.sleep(0.001)))\n',
        "its view is a lambda",
    ),
    "an object that is called": (
        """\
class Index:
    def __call__(self):
        time.sleep(0.001)
        return "a"


app.add_url_rule("/", "index", Index())
""",
        "its view is no function",
    ),
    "a view of a library": (
        'app.add_url_rule("/", "static2", app.send_static_file, defaults={"filename": "a"})\n',
        "its view is not a function of the project",
    ),
    "a decorated method of a hiding kind": (
        """\
class Books(MethodView):
    @hiding
    def get(self):
        time.sleep(0.001)
        return "a"


app.add_url_rule("/", view_func=Books.as_view("books"))
""",
        "hides it, for lack of functools.wraps",
    ),
}


@pytest.mark.parametrize(("text", "reason"), LEFT.values(), ids=LEFT)
def test_no_view(plan: Plan, text: str, reason: str) -> None:
    """A route stays, with the reason, when its view is no function that can be changed."""
    planned = plan(text)
    assert planned.moved == []
    assert reason in planned.find_left().reason


def test_async_already(plan: Plan) -> None:
    """A view that is async keeps its colour; one with nothing to free is not touched at all."""
    planned = plan(
        """\
@app.get("/")
async def index():
    return "a"


@app.get("/waits")
async def wait():
    time.sleep(0.001)
    return "b"
"""
    )
    assert planned.plan.moved_before == ("GET /",)
    assert planned.moved == ["GET /waits"]
    assert planned.colours == {}
    assert planned.run("/", "/waits") == [(200, "a"), (200, "b")]


def test_resource(plan: Plan) -> None:
    """Methods of a Flask-RESTful resource, which awaits none, stay plain on the loop."""
    planned = plan(
        """\
import flask_restful
from flask_restful import fields

api = flask_restful.Api(app)


class Book(flask_restful.Resource):
    def get(self):
        time.sleep(0.001)
        return {"pages": 1}


class Shelf(flask_restful.Resource):
    @flask_restful.marshal_with({"books": fields.Integer})
    def get(self):
        time.sleep(0.001)
        return {"books": 1, "dust": 2}


api.add_resource(Book, "/book")
api.add_resource(Shelf, "/shelf")
"""
    )
    assert planned.colours == {"app.Book.get": "on_loop", "app.Shelf.get": "on_loop"}
    assert planned.run("/book", "/shelf") == [(200, '{"pages": 1}\n'), (200, '{"books": 1}\n')]
