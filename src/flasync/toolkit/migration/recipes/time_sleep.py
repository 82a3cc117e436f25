"""`time.sleep(…)` becomes `asyncio.sleep(…)`."""

from __future__ import annotations

import libcst as cst

from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin

_APP = """\
import time

from flask import Flask

app = Flask(__name__)
"""
_APP_AFTER = _APP.replace("import time", "import asyncio")


class TimeSleep(Recipe):
    """Pauses on the event loop, where other requests run meanwhile."""

    name = "time-sleep"
    title = "time.sleep"
    names = ("time.sleep",)

    page = RecipePage(
        what=(
            "Replaces `time.sleep(seconds)` by `await asyncio.sleep(seconds)`; in code that stays"
            " sync, by `flasync.await_(asyncio.sleep(seconds))`."
        ),
        meaning=(
            "The pause is as long, a little more under load, as before. Meanwhile the event loop"
            " runs other requests. A negative number of seconds, at which `time.sleep` raises"
            " `ValueError`, is no pause. The request can be cancelled in the pause, when its client"
            " leaves."
        ),
        safety=(
            "Safe. Nothing is done when the argument has a star, or when the pause is given by name"
            " or by a negative number, at which `time.sleep` raises, or when `asyncio` means"
            " something else in the file."
        ),
        references=(
            ("time.sleep", "https://docs.python.org/3/library/time.html#time.sleep"),
            ("asyncio.sleep", "https://docs.python.org/3/library/asyncio-task.html#sleeping"),
        ),
    )
    changed = (
        Case(
            "in an async function",
            _APP
            + """

@app.get("/")
async def index():
    # Do not hurry.
    time.sleep(0.5)  # seconds
    return "ready"
""",
            _APP_AFTER
            + """

@app.get("/")
async def index():
    # Do not hurry.
    await asyncio.sleep(0.5)  # seconds
    return "ready"
""",
        ),
        Case(
            "in code that stays sync",
            _APP
            + """

def wait(seconds):
    return [time.sleep(seconds) for _ in range(2)], time.monotonic()
""",
            """\
import asyncio
import time

from flask import Flask
from flasync import await_

app = Flask(__name__)


def wait(seconds):
    return [await_(asyncio.sleep(seconds)) for _ in range(2)], time.monotonic()
""",
        ),
        Case(
            "under other names",
            """\
import asyncio as aio
from time import sleep as nap


async def index():
    await aio.sleep(0)
    nap(
        1  # as long as it takes
    )
""",
            """\
import asyncio as aio


async def index():
    await aio.sleep(0)
    await aio.sleep(
        1  # as long as it takes
    )
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "asyncio is something else",
                """\
import time


async def index(asyncio):
    time.sleep(1)
    return asyncio
""",
            ),
            (
                "an argument with a star",
                _APP
                + """

async def index(pause):
    time.sleep(*pause)
""",
            ),
            (
                "a call that raises",
                _APP
                + """

async def index():
    time.sleep(seconds=1)
    time.sleep(-1)
    time.sleep()
    time.sleep(1, 2)
""",
            ),
            (
                "another function of that name",
                """\
from asyncio import sleep
from shop import time


async def index():
    await sleep(1)
    time.sleep(1)
""",
            ),
            (
                "passed on, not called",
                _APP
                + """

async def index():
    return retry(sleep=time.sleep)
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of `asyncio.sleep` with the same argument."""
        match list(scene.bind("seconds").values()), scene.call.args:
            case [argument], [cst.Arg(keyword=None)] if not _is_negative(argument.value):
                sleep, needed = scene.use("asyncio", "sleep")
                return Twin(scene.call.with_changes(func=sleep), (needed,))
        raise LeaveAlone("`time.sleep` raises for these arguments")


def _is_negative(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus)
