"""FSY108: long computing in a request."""

from __future__ import annotations

from flasync.toolkit.finding import Severity
from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class CpuBoundCall(BlockingCallRule):
    """Finds calls that keep the processor busy for long: password hashes, images, tables."""

    code = "FSY108"
    name = "cpu-bound-call"
    kind = Kind.CPU
    waiting = "computes for long"
    # How long depends on the data, and in a thread nothing is wrong.
    on_loop = Severity.WARNING
    in_thread = Severity.NOTE

    page = Page(
        what=(
            "Finds calls that are known to compute for long: password hashing, images, data"
            " frames, compression."
        ),
        why=(
            "Async helps those who wait, and computing is not waiting: such a view does not get"
            " faster by it. In a sync view nothing is wrong. In an async view the computing stops"
            " every other request of the process until it is done, 50 to 300 ms for one password."
        ),
        example="""\
@app.post("/login")
async def login():
    user = await load_user(request.form["name"])
    if not check_password_hash(user.password, request.form["password"]):
        abort(403)
    return "welcome"
""",
        instead="""\
@app.post("/login")
async def login():
    user = await load_user(request.form["name"])
    is_right = await flasync.run_sync(
        check_password_hash, user.password, request.form["password"]
    )
    if not is_right:
        abort(403)
    return "welcome"
""",
        fix_safety=(
            "Moving the call to a thread is safe where its arguments are plain values; `flasync"
            " migrate` does it in a view that moves to the event loop because it waits as well."
            " Work that takes seconds belongs in a job queue or another process."
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
            "a password, in an async view",
            {
                "app.py": """\
import flask
from werkzeug.security import generate_password_hash

app = flask.Flask(__name__)


@app.post("/")
async def register():
    return generate_password_hash("secret")  # FSY108
"""
            },
        ),
        Case(
            "a password, in a method of a user",
            {
                "app.py": """\
import flask
from werkzeug import security

app = flask.Flask(__name__)


class User:
    def __init__(self, password):
        self.password = password

    def check(self, password):
        return security.check_password_hash(self.password, password)  # FSY108


@app.post("/")
def log_in():
    return str(User("").check("secret"))
"""
            },
        ),
        Case(
            "a key, derived by hashlib",
            {
                "app.py": """\
import hashlib

import flask

app = flask.Flask(__name__)


@app.post("/")
def derive():
    return hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 600_000).hex()  # FSY108
"""
            },
        ),
    )
    valid = (
        Case(
            "run in a thread",
            {
                "app.py": """\
import flask
from werkzeug.security import generate_password_hash

from flasync import run_sync

app = flask.Flask(__name__)


@app.post("/")
async def register():
    return await run_sync(generate_password_hash, "secret")
"""
            },
        ),
        Case(
            "a short hash",
            {
                "app.py": """\
import hashlib

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return hashlib.sha256(b"page").hexdigest()
"""
            },
        ),
        Case(
            "a comparison",
            {
                "app.py": """\
import hmac

import flask

app = flask.Flask(__name__)


@app.post("/")
def index():
    return str(hmac.compare_digest("a", "b"))
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": """\
import flask
from werkzeug.security import generate_password_hash

app = flask.Flask(__name__)


@app.cli.command("add-user")
def add_user():
    print(generate_password_hash("secret"))


@app.get("/")
def index():
    return "done"
"""
            },
        ),
    )

    def describe(self, subject: str, on_loop: bool) -> str:
        """Return the sentence that says what a call does and why it matters."""
        if on_loop:
            return super().describe(subject, on_loop)
        return f"`{subject}` {self.waiting}: async would not make it faster"
