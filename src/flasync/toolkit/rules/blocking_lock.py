"""FSY106: waiting for another thread or process in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class BlockingLock(BlockingCallRule):
    """Finds waits for locks, events, queues, futures and threads."""

    code = "FSY106"
    name = "blocking-lock"
    kind = Kind.LOCK
    waiting = "waits until another thread or process lets it go on"

    page = Page(
        what=(
            "Finds calls that wait for another thread or process: locks, events, queues, the"
            " result of a future, `join()`."
        ),
        why=(
            "How long it takes depends on the other side. In an async view there may be no other"
            " side: when the one who must let it go on is a request of the same process, that"
            " request cannot run while this one waits, and the process stands still for ever."
        ),
        example="""\
lock = threading.Lock()


@app.post("/orders")
async def order():
    with lock:
        await place_order()
    return "ordered"
""",
        instead="""\
lock = asyncio.Lock()


@app.post("/orders")
async def order():
    async with lock:
        await place_order()
    return "ordered"
""",
        fix_safety=(
            "An `asyncio.Lock` protects requests of one event loop from one another. It does not"
            " protect what worker threads use as well. A lock that is held for a few lines without"
            " any wait in them may stay. `flasync migrate` exchanges no lock, and leaves a view"
            " that holds one while it waits in its thread; events, queues and `join()` are waited"
            " for with `flasync.run_sync`, and a future is awaited where it is known to be one."
        ),
        references=(
            ("asyncio: locks", "https://docs.python.org/3/library/asyncio-sync.html"),
            ("asyncio: queues", "https://docs.python.org/3/library/asyncio-queue.html"),
        ),
    )

    invalid = (
        Case(
            "a queue",
            {
                "app.py": """\
import queue

import flask

app = flask.Flask(__name__)
jobs = queue.Queue()


@app.get("/")
def index():
    return str(jobs.get())  # FSY106
"""
            },
        ),
        Case(
            "an event, in an async view",
            {
                "app.py": """\
import threading

import flask

app = flask.Flask(__name__)
ready = threading.Event()


@app.get("/")
async def index():
    ready.wait()  # FSY106
    return "ready"
"""
            },
        ),
        Case(
            "the result of a future",
            {
                "app.py": """\
from concurrent.futures import ThreadPoolExecutor

import flask

app = flask.Flask(__name__)
pool = ThreadPoolExecutor()


def work():
    return "done"


@app.get("/")
def index():
    return pool.submit(work).result()  # FSY106
"""
            },
        ),
    )
    valid = (
        Case(
            "asyncio's own",
            {
                "app.py": """\
import asyncio

import flask

app = flask.Flask(__name__)
lock = asyncio.Lock()


@app.get("/")
async def index():
    async with lock:
        return "done"
"""
            },
        ),
        Case(
            "a dictionary's `get`",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)
queue = {"next": "Emma"}


@app.get("/")
def index():
    return queue.get("next")
"""
            },
        ),
        Case(
            "what does not wait",
            {
                "app.py": """\
import queue
import threading

import flask

app = flask.Flask(__name__)
jobs = queue.Queue()
ready = threading.Event()


@app.get("/")
def index():
    ready.set()
    return {"jobs": jobs.qsize(), "ready": ready.is_set(), "next": jobs.get_nowait()}
"""
            },
        ),
        Case(
            "a text that is joined",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return ", ".join(["a", "b"])
"""
            },
        ),
    )
