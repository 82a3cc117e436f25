"""`async_to_sync(function)(…)` of asgiref becomes the call of the function, awaited."""

from __future__ import annotations

import re

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.own_loops import check_shareable
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin

_HANDS_BACK = re.compile(r"\b(?:sync_to_async|SyncToAsync)\b")
_NEED_NO_PARENTHESES = (cst.Attribute, cst.Call, cst.Name, cst.Subscript)

_APP = """\
import asyncio

from asgiref.sync import async_to_sync
from flask import Flask

app = Flask(__name__)


async def fetch(number):
    await asyncio.sleep(0)
    return str(number)
"""
_APP_WITHOUT = _APP.replace("from asgiref.sync import async_to_sync\n", "")


class AsyncToSync(Recipe):
    """Awaits the function that asgiref's `async_to_sync` ran to its end."""

    name = "async-to-sync"
    title = "asgiref.sync.async_to_sync"
    of_result = True
    of_loop = True
    names = ("asgiref.sync.async_to_sync", "asgiref.sync.AsyncToSync")

    page = RecipePage(
        what="Replaces `async_to_sync(fetch)(isbn)` by `await fetch(isbn)`.",
        meaning=(
            "The result, the exception and the context variables that the function sets are the"
            " same. It runs on the loop of the process, not on one made for the call."
        ),
        safety=(
            "Safe. Nothing is done where the function that `async_to_sync` gives is kept, passed on"
            " or used as a decorator; where it is given more than the function (`force_new_loop`);"
            " and in a project that uses `sync_to_async` as well: what goes back through that runs"
            " in the thread of the caller of `async_to_sync`, and without it in another."
        ),
        references=(
            ("asgiref", "https://github.com/django/asgiref#function-wrappers"),
            (
                "async_to_sync",
                "https://docs.djangoproject.com/en/stable/topics/async/#async-to-sync",
            ),
        ),
    )

    changed = (
        Case(
            "called where it is made",
            _APP
            + """

@app.get("/")
async def index():
    return async_to_sync(fetch)(1)
""",
            _APP_WITHOUT
            + """

@app.get("/")
async def index():
    return await fetch(1)
""",
        ),
        Case(
            "a method, with stars and comments",
            """\
from asgiref import sync


class Shop:
    async def fetch(self, number, text=""):
        return text or number

    async def index(self, *arguments, **options):
        return sync.AsyncToSync(self.fetch)(  # all of them
            *arguments,  # the number
            **options,
        )
""",
            """\
class Shop:
    async def fetch(self, number, text=""):
        return text or number

    async def index(self, *arguments, **options):
        return await self.fetch(  # all of them
            *arguments,  # the number
            **options,
        )
""",
        ),
        Case(
            "a function chosen on the spot",
            _APP
            + """

async def index(function=None):
    return async_to_sync(function or fetch)(1)
""",
            _APP_WITHOUT
            + """

async def index(function=None):
    return await (function or fetch)(1)
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "kept, passed on, and a decorator",
                _APP
                + """

get_price = async_to_sync(fetch)


@async_to_sync
async def get_title(number):
    return await fetch(number)


async def index():
    return list(map(async_to_sync(fetch), [1])) + [get_price(1), get_title(1)]
""",
            ),
            (
                "with more than the function",
                _APP
                + """

async def index(arguments):
    async_to_sync(*arguments)(1)
    return async_to_sync(fetch, force_new_loop=True)(1)
""",
            ),
            (
                "beside the way back",
                _APP.replace("async_to_sync", "async_to_sync, sync_to_async")
                + """

async def find(database):
    return await sync_to_async(database.find)()


async def index(database):
    return async_to_sync(find)(database)
""",
            ),
            (
                "a comment that would be lost, and outside of functions",
                _APP
                + """

TITLE = async_to_sync(fetch)(1)


async def index():
    return async_to_sync(
        fetch  # the fast one
    )(1)
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of the function itself."""
        call, maker = scene.call, scene.call.func
        if not isinstance(maker, cst.Call):
            raise LeaveAlone("it makes a function that is called elsewhere")
        if len(maker.args) != 1 or maker.args[0].star or maker.args[0].keyword is not None:
            raise LeaveAlone("it is given more than the function")
        if scene.file.find_enclosing(call) is None:
            raise LeaveAlone("it stands outside of functions, where no request runs")
        if any(_HANDS_BACK.search(file.text) for file in scene.files):
            raise LeaveAlone("`sync_to_async` in the project goes back to its thread")
        check_shareable(scene.files)
        function = maker.args[0].value
        comments = matchers.Comment()
        if len(matchers.findall(function, comments)) != len(matchers.findall(maker, comments)):
            raise LeaveAlone("a comment in it would be lost")
        if not isinstance(function, _NEED_NO_PARENTHESES) and not function.lpar:
            function = function.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return Twin(call.with_changes(func=function))
