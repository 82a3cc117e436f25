"""`asyncio.run(coroutine)` becomes the coroutine, awaited."""

from __future__ import annotations

from flasync.toolkit.migration.own_loops import EXAMPLE_APP, check_shareable
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin
from flasync.toolkit.migration.sole_argument import unwrap


class AsyncioRun(Recipe):
    """Awaits what `asyncio.run` ran on an event loop of its own."""

    name = "asyncio-run"
    title = "asyncio.run"
    of_loop = True
    names = ("asyncio.run",)

    page = RecipePage(
        what=(
            "Replaces `asyncio.run(fetch())` by `await fetch()`, in code that stays sync by"
            " `await_(fetch())`."
        ),
        meaning=(
            "The result is that of the coroutine, and so is the exception. It runs on the loop of"
            " the process and no longer on one made for the call; so a client that it makes may be"
            " kept and shared. What a task left behind does differs: `asyncio.run` cancels what"
            " the coroutine has started and not awaited; on the shared loop it goes on. A context"
            " variable that the coroutine sets stays set after it. In an async view `asyncio.run`"
            " only ever raised `RuntimeError`."
        ),
        safety=(
            "Safe. Nothing is done when `debug` or `loop_factory` is given, outside of functions,"
            " and when the project asks for all tasks of a loop or sets something for a loop as a"
            " whole (`asyncio.all_tasks`, `set_exception_handler`, signal handlers…)."
        ),
        references=(
            ("asyncio.run", "https://docs.python.org/3/library/asyncio-runner.html#asyncio.run"),
        ),
    )

    changed = (
        Case(
            "in an async view",
            EXAMPLE_APP
            + """

@app.get("/")
async def index():
    return asyncio.run(fetch(1))
""",
            EXAMPLE_APP
            + """

@app.get("/")
async def index():
    return await fetch(1)
""",
        ),
        Case(
            "in code that stays sync",
            EXAMPLE_APP
            + """

def get_price(number):
    return asyncio.run(fetch(number))
""",
            EXAMPLE_APP.replace("import Flask\n", "import Flask\nfrom flasync import await_\n")
            + """

def get_price(number):
    return await_(fetch(number))
""",
        ),
        Case(
            "under another name, within an expression",
            """\
from asyncio import run as run_now, sleep


async def fetch(number):
    await sleep(0)
    return str(number)


async def index():
    return "result: " + run_now(fetch(1)).title()
""",
            """\
from asyncio import sleep


async def fetch(number):
    await sleep(0)
    return str(number)


async def index():
    return "result: " + (await fetch(1)).title()
""",
        ),
        Case(
            "by keyword, with comments",
            EXAMPLE_APP
            + """

async def index():
    # The newest one first.
    newest = asyncio.run(main=fetch(1))  # a text
    return asyncio.run(
        # the other
        fetch(2),  # a text too
    ) + newest
""",
            EXAMPLE_APP
            + """

async def index():
    # The newest one first.
    newest = await fetch(1)  # a text
    return await (
        # the other
        fetch(2)  # a text too
    ) + newest
""",
        ),
        Case(
            "a coroutine made before",
            EXAMPLE_APP
            + """

async def index(number):
    first = fetch(number) if number else fetch(1)
    return asyncio.run(first) + asyncio.run(fetch(2) if number else fetch(3))
""",
            EXAMPLE_APP
            + """

async def index(number):
    first = fetch(number) if number else fetch(1)
    return await first + await (fetch(2) if number else fetch(3))
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "with options",
                EXAMPLE_APP
                + """

async def index():
    return asyncio.run(fetch(1), debug=True)


async def search(options):
    return asyncio.run(fetch(1), **options)


async def again(arguments):
    return asyncio.run(*arguments)
""",
            ),
            (
                "outside of functions",
                EXAMPLE_APP
                + """

class Settings:
    title = asyncio.run(fetch(1))


def search(default=asyncio.run(fetch(1))):
    return default


if __name__ == "__main__":
    asyncio.run(fetch(1))
""",
            ),
            (
                "beside code that counts on a loop of its own",
                EXAMPLE_APP
                + """

async def fetch_all():
    for number in range(3):
        asyncio.create_task(fetch(number))
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


async def index():
    asyncio.run(fetch_all())
""",
            ),
            (
                "a parameter and a function of the same name, and the function passed on",
                """\
import asyncio
from functools import partial


async def fetch(number):
    return str(number)


async def index(asyncio):
    return asyncio.run(fetch(1))


async def search():
    def run(coroutine):
        return coroutine.close()

    return run(fetch(1))


async def list_prices():
    return list(map(asyncio.run, [fetch(1)])), partial(asyncio.run, fetch(1))
""",
            ),
            (
                "awaited already",
                EXAMPLE_APP
                + """

async def index():
    return await fetch(1)
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the coroutine."""
        given = scene.bind("main")
        if set(given) != {"main"}:
            raise LeaveAlone("it is given options for its own event loop")
        scene.require_function()
        check_shareable(scene.files)
        return Twin(unwrap(scene.call, given["main"]))
