"""Where requests for a route wait, in small live apps."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.migration.waiting_sites import (
    WaitingSite,
    list_functions,
    list_waiting_sites,
    locate_function,
    locate_span,
)
from flasync.toolkit.rules import Program
from flasync.toolkit.scanning import build_program
from flasync.toolkit.sources import SourceFile

from .small_projects import load, work_in

HEAD = """\
import threading
import time

import flask

app = flask.Flask(__name__)


"""

Build = Callable[..., Program]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Scan an app whose text follows `HEAD`, with other files beside it."""

    def scan(text: str, others: dict[str, str] | None = None) -> Program:
        app = load(tmp_path, {"app.py": HEAD + text, **(others or {})})
        return build_program(app, tmp_path)

    with work_in(tmp_path):
        yield scan


def list_sites(program: Program, route: str = "GET /") -> list[WaitingSite]:
    """The places at which a route waits."""
    return list(list_waiting_sites(program.entries[route]))


HOOKS = """\
def pause():
    time.sleep(0.001)


@app.before_request
def before():
    pause()


@app.after_request
def after(response):
    time.sleep(0.001)
    return response


@app.teardown_request
def down(error):
    time.sleep(0.001)


@app.get("/")
def index():
    pause()
    time.sleep(0.001)
    return "a"
"""


def test_hooks(build: Build) -> None:
    """What hooks wait for is the route's own, and a place that several reach is listed once."""
    sites = list_sites(build(HOOKS))
    assert [(site.entry, site.function.name) for site in sites] == [
        ("before_request", "app.pause"),
        ("view", "app.index"),
        ("after_request", "app.after"),
        ("teardown_request", "app.down"),
    ]
    assert {site.name for site in sites} == {"time.sleep"}
    assert all(site.span is not None and site.gains for site in sites)


def test_template(build: Build) -> None:
    """A call in a template is seen where it leads to; one of the library's has no span."""
    program = build(
        """\
def pause():
    time.sleep(0.001)
    return ""


@app.get("/")
def index():
    return flask.render_template("a.html", pause=pause, sleep=time.sleep)
""",
        {"templates/a.html": "{{ pause() }}\n{{ sleep(0.001) }}\n"},
    )
    sites = {site.site.place.file: site for site in list_sites(program)}
    assert set(sites) == {"app.py", "templates/a.html"}
    assert sites["app.py"].span is not None
    assert sites["templates/a.html"].span is None


MODELS = """\
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy

app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app)


class Shelf(db.Model):
    id = sa.Column(sa.Integer, primary_key=True)
    books = db.relationship("Book")


class Book(db.Model):
    id = sa.Column(sa.Integer, primary_key=True)
    shelf_id = sa.Column(sa.ForeignKey("shelf.id"))


@app.get("/")
def index():
    shelf = db.session.get(Shelf, 1)
    return str(len(shelf.books))
"""


def test_attribute(build: Build) -> None:
    """The reading of an attribute that waits has the name of its library's, and no call."""
    sites = {site.site.text: site for site in list_sites(build(MODELS))}
    call, attribute = sites["db.session.get(…)"], sites["shelf.books"]
    assert call.span is not None and call.kind is Kind.DATABASE
    assert attribute.span is None and attribute.node is None
    assert attribute.name.startswith("sqlalchemy.")
    assert attribute.gains


def test_with_block(build: Build) -> None:
    """A `with` block that waits when it ends is a place with the call that it is made by."""
    program = build(
        """\
from concurrent.futures import ThreadPoolExecutor


@app.get("/")
def index():
    with ThreadPoolExecutor(1):
        return "a"
"""
    )
    [site] = list_sites(program)
    assert site.name == "concurrent.futures.Executor.__exit__"
    assert site.span is not None


LOOPS = """\
import asyncio
from asgiref.sync import async_to_sync


async def fetch():
    await asyncio.sleep(0)
    return "a"


@app.get("/")
def index():
    return asyncio.run(fetch()) + async_to_sync(fetch)()
"""


def test_loops(build: Build) -> None:
    """A loop of its own is a wait for the network, also where only a second call starts it."""
    first, second = list_sites(build(LOOPS))
    assert {first.name, second.name} == {"asyncio.run", "asgiref.sync.async_to_sync"}
    assert first.gains and second.gains
    nodes = [ast.unparse(site.node) for site in (first, second) if site.node is not None]
    assert nodes == ["asyncio.run(fetch())", "async_to_sync(fetch)()"]


NONE = {
    "nothing": '@app.get("/")\ndef index():\n    return "a"\n',
    "awaited": """\
import asyncio


@app.get("/")
async def index():
    await asyncio.sleep(0)
    return "a"
""",
    "in a function that is not called": """\
def pause():
    time.sleep(0.001)


@app.get("/")
def index():
    return pause.__name__
""",
    "in another thread": """\
def pause():
    time.sleep(0.001)


@app.get("/")
def index():
    threading.Thread(target=pause).start()
    return "a"
""",
    "after a lock, which hazards are about": """\
lock = threading.Lock()


@app.get("/")
def index():
    with lock:
        return "a"
""",
    "in a command": """\
@app.cli.command("pause")
def pause():
    time.sleep(0.001)


@app.get("/")
def index():
    return "a"
""",
    "what goes to another thread": """\
import requests
from concurrent.futures import ThreadPoolExecutor
from flasync import call_in_thread

executor = ThreadPoolExecutor(1)


@app.get("/")
def index():
    executor.submit(requests.get, "http://127.0.0.1:9")
    return call_in_thread(requests.get, "http://127.0.0.1:9").text
""",
    "a hook of another blueprint": """\
shop = flask.Blueprint("shop", __name__)


@shop.before_request
def pause():
    time.sleep(0.001)


@shop.get("/shop")
def look():
    return "a"


@app.get("/")
def index():
    return "a"


app.register_blueprint(shop)
""",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_no_wait(build: Build, text: str) -> None:
    """What does not hold a request's own thread is no place at which it waits."""
    assert list_sites(build(text)) == []


@pytest.mark.parametrize(
    "call",
    ['open("/dev/null").read()', "input()", "breakpoint()", 'hashlib.scrypt(b"a", salt=b"b")'],
)
def test_no_gain(build: Build, call: str) -> None:
    """The disk, the console and computing are waited for, and no reason to move a route."""
    text = f'import hashlib\n\n\n@app.get("/")\ndef index():\n    {call}\n    return "a"\n'
    sites = list_sites(build(text))
    assert [site.gains for site in sites][:1] == [False]
    assert not any(site.gains for site in sites)


def test_list_functions(build: Build) -> None:
    """Functions of requests and of commands are listed, each once."""
    program = build(HOOKS + '\n\n@app.cli.command("go")\ndef go():\n    pause()\n')
    functions = list(list_functions(program))
    assert len(functions) == len(set(functions))
    assert {"app.pause", "app.go", "app.index"} <= {function.name for function in functions}


def test_spans() -> None:
    """Spans count characters, not bytes, from the `def` of a function to its last line's end."""
    text = '@first\ndef f():\n    "ü"; call("é",\n        1)\n'
    source = SourceFile(Path("a.py"), "a.py", text)
    [function] = source.tree.body
    assert isinstance(function, ast.FunctionDef)
    span = locate_span(source, function)
    assert (span.start, span.end) == ((2, 1), (4, 11))
    statement = function.body[1]
    assert isinstance(statement, ast.Expr)
    span = locate_span(source, statement.value)
    assert (span.start, span.end) == ((3, 10), (4, 11))


def test_functions_without_span(build: Build) -> None:
    """A lambda and a template have no place of their own that a change could be about."""
    program = build(
        'app.add_url_rule("/", "index", lambda: flask.render_template("a.html"))\n',
        {"templates/a.html": "a"},
    )
    functions = list(list_functions(program))
    assert len(functions) >= 2
    assert {locate_function(function) for function in functions} == {None}


BRIDGED = """\
import asyncio
from functools import partial

import flasync
import redis.asyncio
from flasync import await_, bridged

store = bridged(partial(redis.asyncio.Redis, port=1))


class Shelf:
    def __init__(self):
        self.client = bridged(partial(redis.asyncio.Redis, port=1))

    def load(self):
        return self.client.get("a")


shelf = Shelf()


async def load():
    return "a"


@app.get("/")
def index():
    flasync.await_(asyncio.sleep(0.001))
    text = await_(load()) + shelf.load()
    return text + store.get("a")
"""


def test_what_is_freed_already(build: Build) -> None:
    """What waits through the bridge holds a thread only where its request does."""
    sites = list_sites(build(BRIDGED))
    assert {site.site.text for site in sites} == {
        "flasync.await_(…)",
        "await_(…)",
        "self.client.get(…)",
        "store.get(…)",
    }
    assert all(site.is_freed and site.gains and site.span is None for site in sites)


def test_blocking_calls_are_not_freed(build: Build) -> None:
    """What holds the loop as well as a thread is still to be freed."""
    assert not any(site.is_freed for site in list_sites(build(HOOKS)))
