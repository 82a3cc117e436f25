"""FSY109: waiting for somebody at the terminal in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class BlockingConsole(BlockingCallRule):
    """Finds questions at the terminal, debuggers included."""

    code = "FSY109"
    name = "blocking-console"
    kind = Kind.CONSOLE
    waiting = "waits for somebody at the server's terminal"

    page = Page(
        what="Finds `input()`, debuggers and other questions at the terminal in requests.",
        why=(
            "A server has nobody at its terminal. The request fails or hangs, with its thread; in"
            " an async view every other request of the process hangs with it. It is nearly always"
            " a line left over from a search for a bug."
        ),
        example="""\
@app.get("/cart")
def cart():
    breakpoint()
    return render_template("cart.html")
""",
        instead="""\
@app.get("/cart")
def cart():
    app.logger.debug("cart: %r", session.get("cart"))
    return render_template("cart.html")
""",
        fix_safety="Removing the line is safe. Only a person knows whether an answer was needed.",
        references=(("input", "https://docs.python.org/3/library/functions.html#input"),),
    )

    invalid = (
        Case(
            "input in a view",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    return input("What now? ")  # FSY109
"""
            },
        ),
        Case(
            "input in an async helper",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


async def ask():
    return input()  # FSY109


@app.get("/")
async def index():
    return await ask()
"""
            },
        ),
    )
    valid = (
        Case(
            "in a command",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


@app.cli.command("add-user")
def add_user():
    print(input("Name: "))


@app.get("/")
def index():
    return "done"
"""
            },
        ),
        Case(
            "a variable of the same name",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


@app.post("/")
def index():
    input = flask.request.form
    return input["name"]
"""
            },
        ),
        Case(
            "a parameter of the same name that is called",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


def ask(input):
    return input("name")


@app.get("/")
def index():
    return ask(str.upper)
"""
            },
        ),
    )
