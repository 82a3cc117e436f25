"""Which helpers become `async def`, seen in the plans for small live apps."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.toolkit.migration.colouring import Colouring
from flasync.toolkit.migration.plan import CallChange, FunctionChange
from flasync.toolkit.migration.planning import Setbacks
from flasync.toolkit.migration.waiting_sites import list_functions, locate_function

from .small_projects import Planned, plan_for, work_in

HEAD = """\
import functools
import time
from concurrent.futures import ThreadPoolExecutor

import flask

app = flask.Flask(__name__)


"""

Plan = Callable[..., Planned]


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """Plan for an app whose text follows `HEAD`, with other files beside it."""

    def write(
        text: str, others: dict[str, str] | None = None, setbacks: Setbacks | None = None
    ) -> Planned:
        return plan_for(tmp_path, {"app.py": HEAD + text, **(others or {})}, setbacks=setbacks)

    with work_in(tmp_path):
        yield write


def list_async(planned: Planned) -> set[str]:
    """The last names of the functions that become async."""
    return {
        name.rpartition(".")[2] for name, colour in planned.colours.items() if colour == "async"
    }


def bar(planned: Planned, name: str) -> Setbacks:
    """That a function must not become async."""
    changes = (change for change in planned.changes if isinstance(change, FunctionChange))
    return Setbacks(plain=frozenset({change.span for change in changes if change.name == name}))


ALL = {
    "a chain": """\
def load():
    time.sleep(0.001)
    return "a"


def find():
    return load()


def show():
    return find() + "b"


@app.get("/")
def index():
    return show()
""",
    "methods": """\
class Books:
    def load(self):
        time.sleep(0.001)
        return "a"

    def find(self):
        return self.load()


books = Books()


@app.get("/")
def index():
    return books.find() + "b"
""",
    "recursion": """\
def load(number):
    time.sleep(0.001)
    return load(number - 1) + "b" if number else "a"


@app.get("/")
def index():
    return load(1)
""",
    "two that call one another": """\
def load(number):
    time.sleep(0.001)
    return find(number - 1) + "b" if number else ""


def find(number):
    return load(number) + "a"


@app.get("/")
def index():
    return find(1)[1:] if find(0) == "a" else ""
""",
    "in a function within": """\
@app.get("/")
def index():
    def load():
        time.sleep(0.001)
        return "ab"

    return load()
""",
    "called by an async helper": """\
def load():
    time.sleep(0.001)
    return "ab"


async def find():
    return load()


@app.get("/")
async def index():
    return await find()
""",
}
ANSWERS = {"two that call one another": "ba"}


@pytest.mark.parametrize("title", ALL)
def test_all_become_async(plan: Plan, title: str) -> None:
    """Everything between the views and what is awaited becomes async, and gives the same."""
    planned = plan(ALL[title])
    changed = planned.render()["app.py"]
    assert "await_(" not in changed
    assert [line for line in changed.splitlines() if line.lstrip().startswith("def ")] == []
    assert planned.run("/") == [(200, ANSWERS.get(title, "ab"))]


NONE = {
    "passed on": """\
def load(letter):
    time.sleep(0.001)
    return letter


@app.get("/")
def index():
    return "".join(map(load, "ab"))
""",
    "decorated": """\
@functools.lru_cache
def load():
    time.sleep(0.001)
    return "ab"


@app.get("/")
def index():
    return load()
""",
    "a property": """\
class Books:
    @property
    def load(self):
        time.sleep(0.001)
        return "ab"


@app.get("/")
def index():
    return Books().load
""",
    "a constructor": """\
class Books:
    def __init__(self):
        time.sleep(0.001)


@app.get("/")
def index():
    return type(Books()).__name__
""",
    "a generator": """\
def load():
    for letter in "ab":
        time.sleep(0.001)
        yield letter


@app.get("/")
def index():
    return "".join(load())
""",
    "called in a generator expression": """\
def load(letter):
    time.sleep(0.001)
    return letter


@app.get("/")
def index():
    return "".join(load(letter) for letter in "ab")
""",
    "called in a lambda": """\
def load():
    time.sleep(0.001)
    return "ab"


@app.get("/")
def index():
    return (lambda: load())()
""",
    "called by a command": """\
def load():
    time.sleep(0.001)
    return "ab"


@app.cli.command("load")
def load_all():
    load()


@app.get("/")
def index():
    return load()
""",
    "called while the module is imported": """\
def load():
    time.sleep(0.001)
    return "ab"


FIRST = load()


@app.get("/")
def index():
    return load()
""",
    "called by a hook": """\
def load():
    time.sleep(0.001)
    return "ab"


@app.before_request
def prepare():
    load()


@app.get("/")
def index():
    return load()
""",
    "overridden": """\
class Books:
    def load(self):
        time.sleep(0.001)
        return "a"


class More(Books):
    def load(self):
        return super().load() + "b"


@app.get("/")
def index():
    return (More() if flask.request else Books()).load()
""",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_none_becomes_async(plan: Plan, text: str) -> None:
    """A helper that somebody cannot await stays a plain function; its view still moves."""
    planned = plan(text)
    assert list_async(planned) == {"index"}
    assert "await_(asyncio.sleep(0.001))" in planned.render()["app.py"].replace("flasync.", "")


def test_plain_answers(plan: Plan) -> None:
    """Helpers that stay plain wait and give the same, whoever calls them."""
    text = NONE["passed on"] + NONE["overridden"].replace('"/"', '"/over"').replace(
        "def in", "def on"
    )
    assert plan(text).run("/", "/over") == [(200, "ab"), (200, "ab")]


FILES = {
    "shop/__init__.py": "from shop.books import load\n",
    "shop/books.py": """\
import time

from shop import walls


def load(letter):
    walls.wait()
    return letter


def find(letter):
    time.sleep(0.001)
    return load(letter)


def look(letter):
    return letter
""",
    "shop/walls.py": "import time\n\n\ndef wait():\n    time.sleep(0.001)\n",
}
MOVED = """\
import shop
from shop.books import find, look


@app.get("/")
def index():
    return find("a") + shop.load("b") + look("c")
"""
STAYS = """\


@app.get("/stays")
def stays():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(str, shop.load("d")).result()
"""


def test_files(plan: Plan) -> None:
    """A chain goes through the files of a project; who awaits nothing stays plain."""
    planned = plan(MOVED, FILES)
    assert list_async(planned) == {"index", "find", "load", "wait"}
    assert planned.run("/") == [(200, "abc")]


def test_shared_with_a_route_that_stays(plan: Plan) -> None:
    """What a route that stays calls is a plain function, and so is all that this calls."""
    planned = plan(MOVED + STAYS, FILES)
    assert planned.moved == ["GET /"]
    assert list_async(planned) == {"index", "find"}
    assert planned.run("/", "/stays") == [(200, "abc"), (200, "d")]


SHARED = """\
def load(letter):
    time.sleep(0.001)
    return letter


@app.get("/a")
def first():
    return load("a")


@app.get("/b")
def second():
    return load("b")


@app.get("/c")
def third():
    time.sleep(0.001)
    return "c"
"""


def test_shared_by_routes_that_move(plan: Plan) -> None:
    """Routes that share a helper which becomes async move together, and others by themselves."""
    planned = plan(SHARED)
    assert [stage.routes for stage in planned.route_stages] == [("GET /a", "GET /b"), ("GET /c",)]
    assert list_async(planned) == {"first", "second", "third", "load"}


def test_barred(plan: Plan) -> None:
    """A helper that turned a test red stays plain, and its routes move one by one."""
    planned = plan(SHARED, setbacks=bar(plan(SHARED), "app.load"))
    assert [stage.routes for stage in planned.route_stages] == [
        ("GET /a",),
        ("GET /b",),
        ("GET /c",),
    ]
    assert list_async(planned) == {"first", "second", "third"}
    assert planned.run("/a", "/b", "/c") == [(200, "a"), (200, "b"), (200, "c")]


def test_view_that_stays_plain(plan: Plan) -> None:
    """A view that becomes no coroutine function cannot await, nor can what it alone calls."""
    planned = plan(SHARED, setbacks=bar(plan(SHARED), "app.first"))
    assert planned.colours == {
        "app.first": "on_loop",
        "app.second": "async",
        "app.third": "async",
    }
    assert planned.run("/a", "/b") == [(200, "a"), (200, "b")]


def test_awaited_once(plan: Plan) -> None:
    """Each call of a function that becomes async is listed once, however often it is reached."""
    planned = plan(
        """\
def load(value):
    time.sleep(0.001)
    return value


def find(value):
    return load(value)


@app.get("/a")
def first():
    return find("a") + find(b"b").decode() + str(find(1))


@app.get("/b")
def second():
    return find("b")
"""
    )
    [stage] = planned.route_stages
    calls = [change.span for change in stage.changes if isinstance(change, CallChange)]
    assert max(Counter(calls).values()) == 1
    assert len(calls) == 1 + 1 + 4


def test_without_obstacles(plan: Plan) -> None:
    """What no changed call is reached from stays plain, though nothing stands in its way."""
    planned = plan(
        SHARED.replace('return "c"', "return look()") + "\n\ndef look():\n    return ''\n"
    )
    functions = list(list_functions(planned.program))
    spans = {function.name: locate_function(function) for function in functions}
    load, third = spans["app.load"], spans["app.third"]
    assert load is not None and third is not None
    calls = {change.span for change in planned.changes if isinstance(change, CallChange)}
    colouring = Colouring(functions, [third], lambda function, awaiting: None)
    assert spans["app.look"] not in colouring.colour(calls)
    assert load in colouring.colour(calls)
    assert colouring.colour([]) == frozenset()
    barred = Colouring(functions, [third], lambda function, awaiting: None, [load])
    assert load not in barred.colour(calls)
