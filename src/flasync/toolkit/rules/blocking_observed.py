"""FSY199: a place where requests were seen to wait, though no call there is known to."""

from __future__ import annotations

from collections.abc import Iterable

from flasync.toolkit.finding import Finding
from flasync.toolkit.rules.rule import Case, Page, Program, Rule

_APP = """\
import flask

import rates

app = flask.Flask(__name__)


@app.get("/")
def index():
    return rates.load()
"""


class BlockingObserved(Rule):
    """The rule of the findings that only an observed run makes; `observing.merging` makes them."""

    code = "FSY199"
    name = "blocking-observed"

    page = Page(
        what=(
            "Finds the lines of your code at which requests really waited, or computed for long,"
            " while `flasync scan --observe -- COMMAND` ran your tests or your server, and where"
            " reading the source had found nothing."
        ),
        why=(
            "A line can wait although nothing in it looks like waiting: a library that flasync"
            " does not know, a function that is chosen while the program runs, a query behind an"
            " attribute. The time is real all the same. A sync view holds its worker thread for"
            " it, and in an async view every other request of the process waits with it."
        ),
        example="""\
@app.get("/price")
def price():
    return {"price": plugin.run("price")}  # 210 ms a request, waiting for the network
""",
        instead="""\
@app.get("/price")
async def price():
    return {"price": await flasync.run_sync(plugin.run, "price")}
""",
        fix_safety=(
            "`flasync migrate` does not change it: what was called there is known by its time"
            " alone. Look for an async twin of the library; without one, a thread is the safe place"
            " for it."
        ),
        references=(
            ("Waiting and computing", "https://docs.python.org/3/library/asyncio-dev.html"),
        ),
    )

    invalid = ()  # a source alone never has one: it takes a run
    valid = (
        Case(
            "a library that is not known, not run",
            {"app.py": _APP, "rates.py": "def load():\n    return vendor.fetch()\n"},
        ),
    )

    def find(self, program: Program) -> Iterable[Finding]:
        """Return nothing: the source does not show it."""
        return ()
