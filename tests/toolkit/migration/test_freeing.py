"""How each place at which a request waits is freed, seen in the plans for small live apps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.toolkit.migration.common_stages import FreeingStage
from flasync.toolkit.migration.planning import Wish

from .small_projects import Planned, plan_for, work_in

HEAD = """\
import queue
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import flask

app = flask.Flask(__name__)


"""
# What waits in a thread alone: it has no async twin.
LOOKUP = 'socket.gethostbyname("localhost")'
SLEEP = ("time.sleep", "rewrite")
IN_THREAD = ("socket.gethostbyname", "offload")

Plan = Callable[..., Planned]


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """Plan for an app whose text follows `HEAD`; lines of calls are counted from its end."""

    def write(text: str, wish: Wish | None = None, **others: str) -> Planned:
        files = {name.replace("__", "/") + ".py": other for name, other in others.items()}
        return plan_for(tmp_path, {"app.py": HEAD + text, **files}, wish)

    with work_in(tmp_path):
        yield write


def list_calls(planned: Planned) -> dict[int, tuple[str, str]]:
    """Each call of app.py that is replaced, by its line below `HEAD`."""
    head = HEAD.count("\n")
    return {line - head: how for (file, line), how in planned.calls.items() if file == "app.py"}


# One call


def test_twin_before_thread(plan: Plan) -> None:
    """A call with an async twin is awaited; one without goes to a thread by itself."""
    planned = plan(
        f"""\
@app.get("/")
def index():
    time.sleep(0.001)
    return {LOOKUP}
"""
    )
    assert list_calls(planned) == {3: SLEEP, 4: IN_THREAD}
    assert planned.run("/") == [(200, "127.0.0.1")]


def test_stage_before_twin(plan: Plan) -> None:
    """What a stage frees is not changed itself, and its route needs the stage."""
    planned = plan(
        """\
import redis

store = redis.Redis(port=1)


@app.get("/")
def index():
    time.sleep(0.001)
    return store.get("a")
"""
    )
    assert list_calls(planned) == {3: ("redis.Redis", "bridge"), 8: SLEEP}
    [stage] = planned.route_stages
    assert stage.needs == ("app", "client:redis-client")


@pytest.mark.parametrize(("stream", "stays"), [("True", True), ("chosen", True), ("False", False)])
def test_stream(plan: Plan, stream: str, stays: bool) -> None:
    """A response that is read bit by bit would wait where it is read: its route stays."""
    planned = plan(
        f"""\
import requests

chosen = True
session = requests.Session()


@app.get("/")
def index():
    time.sleep(0.001)
    return session.get("http://127.0.0.1:9", stream={stream}, auth=object()).iter_content()
"""
    )
    assert [left.reason for left in planned.plan.left if "streams" in left.reason] == [
        "`session.get(…)` streams: what reads its response waits as well"
    ] * stays


def test_only_a_thread(plan: Plan) -> None:
    """A route that would wait in a thread again stays in its own."""
    planned = plan(f'@app.get("/")\ndef index():\n    return {LOOKUP}\n')
    assert planned.moved == []
    assert "of which no async twin is known" in planned.find_left().reason


def test_only_a_thread_as_a_whole(plan: Plan) -> None:
    """A wait that could be awaited is no reason to move a route that holds a thread around it."""
    planned = plan(
        """\
def load():
    with ThreadPoolExecutor(1) as pool:
        time.sleep(0.001)
        return list(pool.map(str, range(2)))


@app.get("/")
def index():
    return load()
"""
    )
    assert planned.moved == []
    assert "`concurrent.futures.Executor" in planned.find_left().reason


def test_only_a_thread_by_wish(plan: Plan) -> None:
    """A route that is asked for by its name moves, although only its thread changes."""
    planned = plan(
        f'@app.get("/")\ndef index():\n    return {LOOKUP}\n', Wish(frozenset({"GET /"}))
    )
    assert list_calls(planned) == {3: IN_THREAD}
    assert planned.run("/") == [(200, "127.0.0.1")]


# Several calls of one function


def test_few_calls_of_many_waits(plan: Plan) -> None:
    """A function with more waits for a thread than callers is handed over as a whole."""
    planned = plan(
        f"""\
def load():
    time.sleep(0.001)
    return {LOOKUP} + {LOOKUP}


@app.get("/")
def index():
    time.sleep(0.001)
    return load()
"""
    )
    assert list_calls(planned) == {8: SLEEP, 9: ("app.load", "offload")}
    assert planned.run("/") == [(200, "127.0.0.1" * 2)]


def test_many_calls_of_few_waits(plan: Plan) -> None:
    """A function with fewer waits than callers has its own calls changed."""
    planned = plan(
        f"""\
def load(number):
    time.sleep(0.001)
    return {LOOKUP}


@app.get("/")
def index():
    return load(1) + load(2)
"""
    )
    assert planned.colours == {"app.load": "async", "app.index": "async"}
    assert list_calls(planned) == {2: SLEEP, 3: IN_THREAD, 8: ("app.load", "rewrite")}
    assert planned.run("/") == [(200, "127.0.0.1" * 2)]


TOGETHER = {
    "a with block": """\
def load():
    time.sleep(0.001)
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(2)))
""",
    "calls of one object": """\
def load():
    time.sleep(0.001)
    pool = ThreadPoolExecutor(1)
    numbers = list(pool.map(str, range(2)))
    pool.shutdown()
    return numbers
""",
}
TOGETHER_VIEW = """\


@app.get("/")
def index():
    time.sleep(0.001)
    return load()
"""


@pytest.mark.parametrize("helper", TOGETHER.values(), ids=TOGETHER)
def test_together(plan: Plan, helper: str) -> None:
    """Waits that belong together go to a thread with their function, which stays as it is."""
    planned = plan(helper + TOGETHER_VIEW)
    call = helper.count("\n") + 6
    assert list_calls(planned) == {call - 1: SLEEP, call: ("app.load", "offload")}
    assert planned.colours == {"app.index": "async"}
    assert planned.run("/") == [(200, '["0","1"]\n')]


UNMOVABLE = {
    "the view itself": """\
@app.get("/")
def index():
    time.sleep(0.001)
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(2)))
""",
    "a generator": """\
def load():
    with ThreadPoolExecutor(1) as pool:
        yield from pool.map(str, range(2))


@app.get("/")
def index():
    time.sleep(0.001)
    return list(load())
""",
    "a coroutine function": """\
async def load():
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(2)))


@app.get("/")
async def index():
    time.sleep(0.001)
    return await load()
""",
    "a property": """\
class Shop:
    @property
    def numbers(self):
        with ThreadPoolExecutor(1) as pool:
            return list(pool.map(str, range(2)))


@app.get("/")
def index():
    time.sleep(0.001)
    return Shop().numbers
""",
    "called by another function's hand": """\
def load(number):
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(number)))


@app.get("/")
def index():
    time.sleep(0.001)
    return sum(map(load, [1, 2]), [])
""",
    "under another name": """\
def load(number):
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(number)))


@app.get("/")
def index():
    time.sleep(0.001)
    fetch = load
    return fetch(2)
""",
    "one of two that may be meant": """\
class One:
    def load(self):
        with ThreadPoolExecutor(1) as pool:
            return list(pool.map(str, range(2)))


class Two:
    def load(self):
        return ["2"]


@app.get("/")
def index():
    time.sleep(0.001)
    return (One() if flask.request.args else Two()).load()
""",
    "an error handler, which Flask calls as well": """\
@app.errorhandler(404)
def load(error):
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(2)))


@app.get("/")
def index():
    time.sleep(0.001)
    return load(None)
""",
    "a hook, which Flask calls": """\
@app.before_request
def load():
    with ThreadPoolExecutor(1) as pool:
        flask.g.numbers = list(pool.map(str, range(2)))


@app.get("/")
def index():
    time.sleep(0.001)
    return flask.g.numbers
""",
}


@pytest.mark.parametrize("text", UNMOVABLE.values(), ids=UNMOVABLE)
def test_together_stays(plan: Plan, text: str) -> None:
    """Waits that belong together keep their route where no call of their function can be moved."""
    planned = plan(text)
    assert planned.moved == []
    left = planned.find_left()
    assert left.reason == "it waits in the block of `with ThreadPoolExecutor(…)`"
    assert left.place is not None
    assert "function of their own" in left.advice


def test_nested(plan: Plan) -> None:
    """What runs in a thread already is not handed to one again, nor awaited."""
    planned = plan(
        """\
def inner(numbers):
    time.sleep(0.001)
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, numbers))


def pause():
    time.sleep(0.001)


def outer(numbers):
    pause()
    with ThreadPoolExecutor(1) as pool:
        return inner([*pool.map(str, numbers), 0])


@app.get("/")
def index():
    time.sleep(0.001)
    return outer(inner(range(2)))
"""
    )
    assert set(list_calls(planned)) == {19, 20}
    assert planned.colours == {"app.index": "async"}
    assert "return await run_sync(outer, await run_sync(inner, range(2)))" in planned.render()[
        "app.py"
    ].replace("flasync.", "")
    assert planned.run("/") == [(200, '["0","1","0"]\n')]


def test_whole_of_itself(plan: Plan) -> None:
    """A function that calls itself goes to a thread where others call it."""
    planned = plan(
        """\
def load(number):
    with ThreadPoolExecutor(1) as pool:
        return list(pool.map(str, range(1))) + (load(number - 1) if number else [])


@app.get("/")
def index():
    time.sleep(0.001)
    return load(2)
"""
    )
    assert list_calls(planned) == {8: SLEEP, 9: ("app.load", "offload")}
    assert planned.run("/") == [(200, '["0","0","0"]\n')]


def test_whole_on_one_way_only(plan: Plan) -> None:
    """A function that one route hands over as a whole is freed call by call for another."""
    planned = plan(
        f"""\
def load(number):
    time.sleep(0.001)
    {LOOKUP}
    return {LOOKUP}


@app.get("/one")
def one():
    time.sleep(0.001)
    return load(1)


@app.get("/two")
def two():
    return "".join(map(load, [1, 2]))
"""
    )
    assert planned.moved == ["GET /one", "GET /two"]
    assert list_calls(planned) == {
        2: SLEEP,
        3: IN_THREAD,
        4: IN_THREAD,
        9: SLEEP,
        10: ("app.load", "offload"),
    }
    assert planned.colours == {"app.one": "async", "app.two": "async"}
    assert planned.run("/one", "/two") == [(200, "127.0.0.1"), (200, "127.0.0.1" * 2)]


# What no thread can do

STUCK = {
    "a lock": """\
lock = threading.Lock()


@app.get("/")
def index():
    time.sleep(0.001)
    lock.acquire()
    try:
        return "a"
    finally:
        lock.release()
""",
    "the console": """\
@app.get("/")
def index():
    time.sleep(0.001)
    return input()
""",
    "a debugger, in a helper": """\
def load():
    breakpoint()
    return "a"


@app.get("/")
def index():
    time.sleep(0.001)
    return load()
""",
}


@pytest.mark.parametrize("text", STUCK.values(), ids=STUCK)
def test_stuck(plan: Plan, text: str) -> None:
    """A route that takes a lock, or waits at the console, stays in its thread."""
    planned = plan(text)
    assert planned.moved == []
    assert "which no thread can do for it" in planned.find_left().reason


def test_short_lock(plan: Plan) -> None:
    """A lock that is held for no wait keeps nothing back."""
    planned = plan(
        """\
lock = threading.Lock()


@app.get("/")
def index():
    time.sleep(0.001)
    with lock:
        return "a"
"""
    )
    assert planned.moved == ["GET /"]
    assert planned.run("/") == [(200, "a")]


def test_waits_of_threads(plan: Plan) -> None:
    """An event and a queue, which belong to no thread, are waited for in one."""
    planned = plan(
        """\
@app.get("/")
def index():
    done = threading.Event()
    done.set()
    time.sleep(0.001)
    return str(done.wait())


@app.get("/queue")
def fill():
    numbers = queue.Queue()
    numbers.put_nowait(1)
    time.sleep(0.001)
    return str(numbers.get())
"""
    )
    assert list_calls(planned) == {
        5: SLEEP,
        6: ("threading.Event.wait", "offload"),
        13: SLEEP,
        14: ("queue.Queue.get", "offload"),
    }
    assert planned.run("/", "/queue") == [(200, "True"), (200, "1")]


def test_loop_of_its_own(plan: Plan) -> None:
    """What runs an event loop in a way that no recipe replaces keeps its route in its thread."""
    planned = plan(
        """\
import asyncio


async def fetch():
    await asyncio.sleep(0)
    return "a"


@app.get("/")
def index():
    return asyncio.run(fetch())


@app.get("/debug")
def debug():
    time.sleep(0.001)
    return asyncio.run(fetch(), debug=True)
"""
    )
    assert planned.moved == ["GET /"]
    assert "runs an event loop of its own" in planned.find_left("GET /debug").reason
    assert planned.run("/", "/debug") == [(200, "a"), (200, "a")]


# What the tests replace

PATCHING = """\
import time

import app


def test_index(monkeypatch):
    monkeypatch.setattr("app.time.sleep", lambda seconds: app.seen.append(seconds))
    assert app.app.test_client().get("/").text == "0.001"
"""
PATCHED = {
    "in the view": """\
seen = []


@app.get("/")
def index():
    time.sleep(0.001)
    return str(seen.pop())
""",
    "in a helper of many callers": """\
seen = []


def pause():
    time.sleep(0.001)


@app.get("/")
def index():
    pause()
    pause()
    return str(seen.pop())
""",
}


@pytest.mark.parametrize("text", PATCHED.values(), ids=PATCHED)
def test_patched(plan: Plan, text: str) -> None:
    """A call that the tests replace goes to a thread, and what they put there is still called."""
    planned = plan(text, tests__test_app=PATCHING)
    assert planned.moved == ["GET /"]
    assert ("time.sleep", "offload") in list_calls(planned).values()
    planned.write()
    assert "1 passed" in planned.call("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")


def test_patched_elsewhere(plan: Plan) -> None:
    """A patch of another module's call leaves this one to its twin."""
    planned = plan(
        '@app.get("/")\ndef index():\n    time.sleep(0.001)\n    return "a"\n',
        other="import time\n\n\ndef wait():\n    time.sleep(1)\n",
        tests__test_other=(
            "import other\n\n\ndef test_wait(monkeypatch):\n"
            '    monkeypatch.setattr("other.time", None)\n'
        ),
    )
    assert list_calls(planned) == {3: SLEEP}


@pytest.mark.parametrize(
    ("name", "is_covered"),
    [
        ("redis.Redis.get", True),
        ("redis.Redis.pipeline.execute", True),
        ("redis.client.Redis.get", False),
        ("redis.Redis", False),
    ],
)
def test_covers(name: str, is_covered: bool) -> None:
    """A stage frees the dotted names that its patterns are for."""
    assert FreeingStage("client:redis", ("redis.Redis.*",)).covers(name) is is_covered
