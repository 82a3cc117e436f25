"""FSY101: a pause with `time.sleep` in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page

_APP = """\
import time

import flask

app = flask.Flask(__name__)
"""


class BlockingSleep(BlockingCallRule):
    """Finds pauses that hold a thread, or every request, for their whole length."""

    code = "FSY101"
    name = "blocking-sleep"
    kind = Kind.SLEEP
    waiting = "pauses"

    page = Page(
        what="Finds `time.sleep` and its like wherever a request runs them, through helpers too.",
        why=(
            "A pause does no work, yet a sync view holds its worker thread for all of it. With"
            " 40 threads and a pause of one second, the 41st visitor waits before his request is"
            " even looked at. In an async view it is worse: all async requests of the process"
            " share one thread, so one pause stops all of them."
        ),
        example="""\
@app.get("/report")
def report():
    while not is_ready():
        time.sleep(0.5)
    return send_file("report.pdf")
""",
        instead="""\
@app.get("/report")
async def report():
    while not is_ready():
        await asyncio.sleep(0.5)
    return send_file("report.pdf")
""",
        fix_safety=(
            "`flasync migrate` replaces the call when all else on the way of the view can be freed"
            " as well. A helper that commands, jobs or tests call as well stays a plain function,"
            " and pauses with `flasync.await_(asyncio.sleep(seconds))`, which works from sync code"
            " in requests, commands and tests."
        ),
        references=(
            ("asyncio.sleep", "https://docs.python.org/3/library/asyncio-task.html#sleeping"),
        ),
    )

    invalid = (
        Case(
            "in a view",
            {
                "app.py": _APP
                + """

@app.get("/")
def index():
    time.sleep(0.1)  # FSY101
    return "done"
"""
            },
        ),
        Case(
            "in an async view",
            {
                "app.py": _APP
                + """

@app.get("/")
async def index():
    time.sleep(0.1)  # FSY101
    return "done"
"""
            },
        ),
        Case(
            "under another name",
            {
                "app.py": """\
import flask
from time import sleep as nap

app = flask.Flask(__name__)


@app.get("/")
def index():
    nap(0.1)  # FSY101
    return "done"
"""
            },
        ),
        Case(
            "in a helper of another module, reached by two routes",
            {
                "app.py": """\
import flask

import patience

app = flask.Flask(__name__)


@app.get("/")
def index():
    return patience.wait_a_bit()


@app.get("/again")
def again():
    return patience.wait_a_bit()
""",
                "patience.py": """\
import time as clock


def wait_a_bit():
    clock.sleep(0.1)  # FSY101
    return "done"
""",
            },
        ),
        Case(
            "in a decorator around a view",
            {
                "app.py": _APP
                + """

def slowed(view):
    import functools

    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        time.sleep(0.1)  # FSY101
        return view(*args, **kwargs)

    return wrapper


@app.get("/")
@slowed
def index():
    return "done"
"""
            },
        ),
        Case(
            "in a function kept in a closure",
            {
                "app.py": _APP
                + """

def build_pause(seconds):
    def pause():
        time.sleep(seconds)  # FSY101

    return pause


pause = build_pause(0.1)


@app.get("/")
def index():
    pause()
    return "done"
"""
            },
        ),
        Case(
            "in a hook",
            {
                "app.py": _APP
                + """

@app.before_request
def throttle():
    time.sleep(0.1)  # FSY101


@app.get("/")
def index():
    return "done"
"""
            },
        ),
        Case(
            "in a generator that is the response",
            {
                "app.py": _APP
                + """

def tick():
    for number in range(3):
        yield str(number)
        time.sleep(0.1)  # FSY101


@app.get("/")
def index():
    return app.response_class(tick())
"""
            },
        ),
        Case(
            "beside a helper that goes to a thread",
            {
                "app.py": _APP
                + """
from flasync import run_sync


def slow():
    time.sleep(0.1)  # FSY101
    return "done"


@app.get("/")
async def index():
    return await run_sync(slow)


@app.get("/direct")
async def direct():
    return slow()
"""
            },
        ),
    )
    valid = (
        Case(
            "asyncio.sleep, awaited",
            {
                "app.py": """\
import asyncio

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    await asyncio.sleep(0.1)
    return "done"
"""
            },
        ),
        Case(
            "asyncio.sleep under the name of the other",
            {
                "app.py": """\
from asyncio import sleep

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    await sleep(0.1)
    return "done"
"""
            },
        ),
        Case(
            "handed to a thread",
            {
                "app.py": _APP
                + """
import asyncio

from flasync import run_sync


def slow():
    time.sleep(0.1)


@app.get("/")
async def index():
    await asyncio.to_thread(time.sleep, 0.1)
    await run_sync(slow)
    return "done"
"""
            },
        ),
        Case(
            "a parameter of the same name",
            {
                "app.py": _APP
                + """

class Clock:
    def sleep(self, seconds):
        return f"{seconds} s"


def describe(time):
    return time.sleep(1)


@app.get("/")
def index():
    return describe(Clock())
"""
            },
        ),
        Case(
            "a local function of the same name",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    def sleep(seconds):
        return f"{seconds} s"

    return sleep(1)
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": _APP
                + """

@app.cli.command("import-books")
def import_books():
    time.sleep(1)


@app.get("/")
def index():
    return "done"
"""
            },
        ),
        Case(
            "in a function that nothing calls",
            {
                "app.py": _APP
                + """

def unused():
    time.sleep(1)


@app.get("/")
def index():
    return "done"
"""
            },
        ),
        Case(
            "passed on, not called",
            {
                "app.py": _APP
                + """

def describe(function):
    return function.__name__


@app.get("/")
def index():
    return describe(time.sleep)
"""
            },
        ),
        Case(
            "other functions of the module",
            {
                "app.py": _APP
                + """

@app.get("/")
def index():
    return {"now": time.time(), "since": time.monotonic()}
"""
            },
        ),
        Case(
            "in a comment, a text and a module's main part",
            {
                "app.py": _APP
                + '''

@app.get("/")
def index():
    """Was time.sleep(1) once."""
    # time.sleep(1)
    return "time.sleep(1)"


if __name__ == "__main__":
    time.sleep(1)
'''
            },
        ),
    )
