"""FSY104: waiting for the disk in a request."""

from __future__ import annotations

from flasync.toolkit.finding import Severity
from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class BlockingDisk(BlockingCallRule):
    """Finds files that are opened, copied, listed and removed while a request waits."""

    code = "FSY104"
    name = "blocking-disk"
    kind = Kind.DISK
    waiting = "waits for the disk"
    # A small local file takes a fraction of a millisecond: less than what a thread hop costs.
    on_loop = Severity.WARNING
    in_thread = Severity.NOTE

    page = Page(
        what="Finds calls that wait for files and folders: opening, copying, listing, removing.",
        why=(
            "In a sync view this is fine: a local file answers in well under a millisecond, and"
            " async gains nothing. In an async view the time adds up: a large upload, a slow"
            " network drive or a folder with many files stops every other request of the process."
        ),
        example="""\
@app.post("/covers")
async def save_cover():
    shutil.copyfile(SCAN, COVERS / "new.png")
    return "saved"
""",
        instead="""\
@app.post("/covers")
async def save_cover():
    await flasync.run_sync(shutil.copyfile, SCAN, COVERS / "new.png")
    return "saved"
""",
        fix_safety=(
            "A view that mostly handles files is best left sync. `aiofiles` moves each single"
            " operation to a thread, so many small ones become slower: move the whole job with one"
            " `run_sync` instead. In a view that moves to the event loop for other reasons,"
            " `flasync migrate` does so with what waits for files."
        ),
        references=(
            (
                "asyncio: running blocking code",
                "https://docs.python.org/3/library/asyncio-dev.html",
            ),
        ),
    )

    invalid = (
        Case(
            "open in an async view",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    with open("notes.txt") as file:  # FSY104
        return file.name
"""
            },
        ),
        Case(
            "pathlib, through a helper",
            {
                "app.py": """\
from pathlib import Path

import flask

app = flask.Flask(__name__)
FOLDER = Path("covers")


def load(name):
    return (FOLDER / name).read_bytes()  # FSY104


@app.get("/covers/<name>")
def cover(name):
    return load(name)
"""
            },
        ),
        Case(
            "shutil under another name",
            {
                "app.py": """\
import shutil as sh

import flask

app = flask.Flask(__name__)


@app.post("/")
def index():
    sh.copyfile("a", "b")  # FSY104
    return "copied"
"""
            },
        ),
    )
    valid = (
        Case(
            "a method named `open` of the project",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


class Shop:
    def open(self, day):
        return day


@app.get("/")
def index():
    return Shop().open("Monday")
"""
            },
        ),
        Case(
            "a path that is only joined",
            {
                "app.py": """\
import os.path
from pathlib import Path

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return {"a": os.path.join("a", "b"), "b": (Path("a") / "b").as_posix()}
"""
            },
        ),
        Case(
            "in memory",
            {
                "app.py": """\
import io

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    with io.StringIO() as file:
        file.write("done")
        return file.getvalue()
"""
            },
        ),
        Case(
            "run in a thread",
            {
                "app.py": """\
import shutil

import flask

from flasync import run_sync

app = flask.Flask(__name__)


@app.post("/")
async def index():
    await run_sync(shutil.copyfile, "a", "b")
    return "copied"
"""
            },
        ),
        Case(
            "read when the module is imported",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)

with open(__file__) as file:
    SOURCE = file.read()


@app.get("/")
def index():
    return SOURCE
"""
            },
        ),
    )
