"""FSY105: waiting for another program in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class BlockingSubprocess(BlockingCallRule):
    """Finds programs that are run, and waited for, while a request is answered."""

    code = "FSY105"
    name = "blocking-subprocess"
    kind = Kind.SUBPROCESS
    waiting = "waits for another program to end"

    page = Page(
        what="Finds calls that run another program and wait until it ends.",
        why=(
            "The work is done elsewhere, but a sync view holds its worker thread until it is"
            " done. In an async view every other request of the process waits with it, for"
            " seconds where the program converts a video or prints a PDF."
        ),
        example="""\
@app.get("/thumbnail")
def thumbnail():
    subprocess.run(["convert", SOURCE, "-resize", "200", TARGET], check=True)
    return send_file(TARGET)
""",
        instead="""\
@app.get("/thumbnail")
async def thumbnail():
    command = ["convert", SOURCE, "-resize", "200", TARGET]
    await flasync.run_sync(subprocess.run, command, check=True)
    return send_file(TARGET)
""",
        fix_safety=(
            "In the request's thread the call works as it is, with `check`, `timeout` and `text`,"
            " which asyncio's processes do not have: this is what `flasync migrate` writes in a"
            " view that moves to the event loop. Only a program of which no more than the return"
            " code is wanted, with arguments as written, is started by asyncio and awaited."
        ),
        references=(
            ("asyncio: subprocesses", "https://docs.python.org/3/library/asyncio-subprocess.html"),
        ),
    )

    invalid = (
        Case(
            "subprocess.run",
            {
                "app.py": """\
import subprocess

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    subprocess.run(["true"], check=True)  # FSY105
    return "done"
"""
            },
        ),
        Case(
            "a process that is made and waited for",
            {
                "app.py": """\
from subprocess import Popen

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    process = Popen(["true"])
    return str(process.wait())  # FSY105
"""
            },
        ),
        Case(
            "os.system, through a lambda",
            {
                "app.py": """\
import os

import flask

app = flask.Flask(__name__)
run = lambda command: os.system(command)  # FSY105


@app.get("/")
def index():
    return str(run("true"))
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


@app.get("/")
async def index():
    process = await asyncio.create_subprocess_exec("true")
    return str(await process.wait())
"""
            },
        ),
        Case(
            "a method named `run`",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


class Report:
    def run(self):
        return "done"


subprocess = Report()


@app.get("/")
def index():
    return subprocess.run()
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": """\
import subprocess

import flask

app = flask.Flask(__name__)


@app.cli.command("backup")
def backup():
    subprocess.run(["true"], check=True)


@app.get("/")
def index():
    return "done"
"""
            },
        ),
        Case(
            "run in a thread",
            {
                "app.py": """\
import asyncio
import subprocess

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    await asyncio.to_thread(subprocess.run, ["true"], check=True)
    return "done"
"""
            },
        ),
    )
