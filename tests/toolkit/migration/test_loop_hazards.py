"""What keeps a route in its thread, although no call on its way blocks."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.serving.location import load_flask_app
from flasync.toolkit.graph import walk_calls
from flasync.toolkit.migration.loop_hazards import Hazard, find_loop_hazard
from flasync.toolkit.rules import Program
from flasync.toolkit.scanning import build_program

HEAD = """\
import asyncio
import functools
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, nullcontext

import flask
from flasync import await_

app = flask.Flask(__name__)
lock = threading.Lock()
other = threading.RLock()


def load():
    time.sleep(0.01)
    return "loaded"


async def fetch():
    await asyncio.sleep(0)
    return "fetched"


"""

Build = Callable[[str], Program]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Write an app, import it, and return it as scanned."""

    def write(text: str) -> Program:
        (tmp_path / "app.py").write_text(HEAD + text)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        sys.modules.pop("app", None)
        importlib.invalidate_caches()
        return build_program(load_flask_app("app"), tmp_path)

    yield write
    sys.modules.pop("app", None)


def find(program: Program, route: str = "GET /") -> Hazard | None:
    """The hazard of a route."""
    return find_loop_hazard(program, program.entries[route])


HAZARDS = {
    "a lock during a blocking call": (
        "`lock` is held while it waits",
        """
@app.get("/")
def index():
    with lock:  # here
        return load()
""",
    ),
    "a lock during await_": (
        "`lock` is held while it waits",
        """
@app.get("/")
def index():
    with lock:  # here
        return await_(fetch())
""",
    ),
    "acquired by hand": (
        "`other` is held while it waits",
        """
@app.get("/")
def index():
    other.acquire()  # here
    try:
        time.sleep(0.01)
    finally:
        other.release()
    return "done"
""",
    ),
    "of an object, in a helper": (
        "`self._lock` is held while it waits",
        """
class Cache:
    def __init__(self):
        self._lock = threading.Lock()

    def get(self):
        with self._lock:  # here
            return load()


cache = Cache()


@app.get("/")
def index():
    return cache.get()
""",
    ),
    "in a decorator": (
        "`lock` is held while it waits",
        """
def one_by_one(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        with lock:  # here
            return view(*args, **kwargs)

    return wrapper


@app.get("/")
@one_by_one
def index():
    return load()
""",
    ),
    "in a hook": (
        "`lock` is held while it waits",
        """
@app.before_request
def prepare():
    with lock:  # here
        load()


@app.get("/")
def index():
    return load()
""",
    ),
    "a file read under a lock": (
        "`lock` is held while it waits",
        """
@app.get("/")
def index():
    with lock:  # here
        return open("/dev/null").read()
""",
    ),
    "another route holds it": (
        "which is held at app.py:",
        """
@app.get("/")
def index():
    with lock:  # here
        number = 1
    return str(number) + load()


@app.get("/slow")
def slow():
    with lock:
        return load()
""",
    ),
    "another method holds it": (
        "which is held at app.py:",
        """
class Cache:
    def __init__(self):
        self._lock = threading.Lock()

    def get(self):
        with self._lock:
            return load()

    def peek(self):
        with self._lock:  # here
            return "a"


cache = Cache()


@app.get("/")
def index():
    return cache.peek() + load()


@app.get("/slow")
def slow():
    return cache.get()
""",
    ),
    "a context manager that keeps it": (
        "`lock` is held while it waits",
        """
@contextmanager
def locked():
    with lock:  # here
        yield


@app.get("/")
def index():
    with locked():
        return load()
""",
    ),
    "a stream that keeps it": (
        "`lock` is held while it waits",
        """
def stream():
    with lock:  # here
        yield "a"


@app.get("/")
def index():
    return flask.Response(stream())
""",
    ),
    "the number of the thread": (
        "tells requests apart by their threads",
        """
seen = {}


@app.get("/")
def index():
    seen[threading.get_ident()] = load()  # here
    return load()
""",
    ),
    "the thread as a key": (
        "tells requests apart by their threads",
        """
seen = {}


@app.get("/")
def index():
    seen[threading.current_thread()] = load()  # here
    return load()
""",
    ),
    "a signal": (
        "what signals do to the server",
        """
@app.get("/")
def index():
    signal.alarm(1)  # here
    return load()
""",
    ),
    "the pipe of a program": (
        "uses the pipes of",
        """
@app.get("/")
def index():
    process = subprocess.Popen(["date"], stdout=subprocess.PIPE)  # here
    return process.stdout.read().decode() + load()
""",
    ),
    "a loop that no recipe knows": (
        "an event loop of its own",
        """
@app.get("/")
def index():
    with asyncio.Runner() as runner:
        return runner.run(fetch())  # here
""",
    ),
}

SAFE = {
    "no lock": """
@app.get("/")
def index():
    return load()
""",
    "a lock for a moment": """
counts = {}


@app.get("/")
def index():
    with lock:
        counts["a"] = counts.get("a", 0) + 1
    return load()
""",
    "a wait around it": """
@app.get("/")
def index():
    text = load()
    with lock:
        text += "!"
    return load() + text
""",
    "another lock than the one that is held": """
@app.get("/")
def index():
    with lock:
        number = 1
    return str(number) + load()


@app.get("/slow")
def slow():
    with other:
        return load()
""",
    "held in a command": """
@app.cli.command("fill")
def fill():
    with lock:
        load()


@app.get("/")
def index():
    with lock:
        number = 1
    return str(number) + load()
""",
    "held in another thread": """
def fill():
    with lock:
        pass
    load()


@app.get("/")
def index():
    threading.Thread(target=fill).start()
    return load()
""",
    "an asyncio.Lock": """
guard = asyncio.Lock()


@app.get("/")
async def index():
    async with guard:
        return await fetch()
""",
    "another context manager": """
@app.get("/")
def index():
    with nullcontext():
        return load()
""",
    "a function defined under the lock": """
@app.get("/")
def index():
    with lock:
        later = lambda: load()
    return later()
""",
    "a computation under a lock": """
@app.get("/")
def index():
    with lock:
        return str(sorted(range(9)))
""",
    "a program without pipes": """
@app.get("/")
def index():
    subprocess.Popen(["true"])
    return load()
""",
    "the name of the thread": """
@app.get("/")
def index():
    return threading.current_thread().name + load()
""",
    "other things of those names": """
class Threads:
    def get_ident(self):
        return "a"


@app.get("/")
def index():
    return Threads().get_ident() + load()
""",
    "the number of the thread, in a command": """
@app.cli.command("show")
def show():
    print(threading.get_ident())


@app.get("/")
def index():
    return load()
""",
    "a loop that is rewritten": """
@app.get("/")
def index():
    return asyncio.run(fetch())
""",
    "a loop at import": """
NAME = asyncio.run(fetch())


@app.get("/")
def index():
    return load() + NAME
""",
    "another route's": """
@app.get("/")
def index():
    return load()


@app.get("/b")
def b():
    with lock:
        return load() + str(threading.get_ident())
""",
}


@pytest.mark.parametrize(("reason", "text"), HAZARDS.values(), ids=HAZARDS)
def test_hazards(reason: str, text: str, build: Build) -> None:
    """What stops the loop, mixes up requests or raises there is found, with its place."""
    hazard = find(build(text))
    assert hazard is not None
    assert reason in hazard.reason
    marked = (HEAD + text).splitlines()[hazard.place.line - 1]
    assert marked.endswith("# here")


@pytest.mark.parametrize("text", SAFE.values(), ids=SAFE)
def test_safe(text: str, build: Build) -> None:
    """What comes close and does no harm is left alone."""
    assert find(build(text)) is None


def test_of_each_route(build: Build) -> None:
    """Each route has its own answer."""
    program = build(SAFE["another route's"])
    assert find(program) is None
    assert find(program, "GET /b") is not None


STREAMS = {
    "a generator function": 'return flask.Response(stream("a"))',
    "with the request's context": 'return flask.Response(flask.stream_with_context(stream("a")))',
    "returned as it is": 'return stream("a")',
    "a generator expression": 'return flask.Response(load() for _ in "ab")',
}


@pytest.mark.parametrize("statement", STREAMS.values(), ids=STREAMS)
def test_streamed_bodies(statement: str, build: Build) -> None:
    """What a streamed body waits for is among the route's own calls: it runs in the same lane."""
    program = build(
        f"""
def stream(letter):
    for number in range(2):
        yield load()


@app.get("/")
def index():
    {statement}
"""
    )
    [(_, entry)] = program.entries["GET /"]
    assert any(reached.site.blocking is not None for reached in walk_calls(entry))
