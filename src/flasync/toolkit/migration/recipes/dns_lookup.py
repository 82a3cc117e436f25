"""`socket.getaddrinfo(…)` becomes the method of that name of the running event loop."""

from __future__ import annotations

import re

import libcst as cst

from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin

_PARAMETERS = {
    "getaddrinfo": ("host", "port", "family", "type", "proto", "flags"),
    "getnameinfo": ("sockaddr", "flags"),
}
# The loop takes the rest by name alone.
_POSITIONAL = 2

_APP = """\
import socket

from flask import Flask

app = Flask(__name__)
"""
_APP_AFTER = "import asyncio\n" + _APP
_APP_WITHOUT = _APP_AFTER.replace("import socket\n", "")


class DnsLookup(Recipe):
    """Awaits the event loop's own resolver, which asks in a thread of the loop's."""

    name = "dns-lookup"
    title = "socket.getaddrinfo"
    names = ("socket.getaddrinfo", "socket.getnameinfo")

    page = RecipePage(
        what=(
            "Replaces `socket.getaddrinfo(host, port)` by"
            " `await asyncio.get_running_loop().getaddrinfo(host, port)`, and `getnameinfo`"
            " likewise."
        ),
        meaning=(
            "The list of addresses is the same, item by item, and so is `socket.gaierror`: asyncio"
            " and uvloop were both compared with the function. They ask in a thread of their own,"
            " so that the request needs none. In code that stays sync the call goes to the"
            " request's thread, because there may be no running loop to ask."
        ),
        safety=(
            "Safe. Nothing is done where the arguments have stars, and in a project that puts a"
            " function of its own in place of the resolver, which uvloop would not call."
            " `gethostbyname` and its kin have no twin: `getaddrinfo` gives another list in another"
            " order. They go to a thread."
        ),
        references=(
            (
                "loop.getaddrinfo",
                "https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.getaddrinfo",
            ),
        ),
    )

    changed = (
        Case(
            "in an async view",
            _APP
            + """

@app.get("/")
async def index():
    # The first one will do.
    return socket.getaddrinfo("localhost", 80)[0][4][0]  # an address
""",
            _APP_WITHOUT
            + """

@app.get("/")
async def index():
    # The first one will do.
    return (await asyncio.get_running_loop().getaddrinfo("localhost", 80))[0][4][0]  # an address
""",
        ),
        Case(
            "options by position, comments and keywords",
            _APP
            + """

async def index():
    return socket.getaddrinfo(
        "localhost",  # here
        80,
        socket.AF_INET,  # version 4
        socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )
""",
            _APP_AFTER
            + """

async def index():
    return await asyncio.get_running_loop().getaddrinfo(
        "localhost",  # here
        80,
        family=socket.AF_INET,  # version 4
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )
""",
        ),
        Case(
            "under other names",
            """\
import asyncio
from socket import getaddrinfo as find, getnameinfo


async def index():
    await asyncio.sleep(0)
    return find(host="localhost", port=80), getnameinfo(("127.0.0.1", 80), 0)
""",
            """\
import asyncio


async def index():
    await asyncio.sleep(0)
    return await asyncio.get_running_loop().getaddrinfo(host="localhost", port=80), \
await asyncio.get_running_loop().getnameinfo(("127.0.0.1", 80), 0)
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "arguments with stars",
                _APP
                + """

async def index(address, options):
    return socket.getaddrinfo(*address), socket.getaddrinfo("localhost", 80, **options)
""",
            ),
            (
                "functions without a twin",
                _APP
                + """

async def index():
    return socket.gethostbyname("localhost"), socket.getfqdn()
""",
            ),
            (
                "a resolver of the project's own",
                _APP
                + """
_original = socket.getaddrinfo


def find_public(host, *arguments):
    if host == "localhost":
        raise PermissionError(host)
    return _original(host, *arguments)


socket.getaddrinfo = find_public


async def index():
    return socket.getaddrinfo("localhost", 80)
""",
            ),
            (
                "names that mean something else",
                """\
import socket


async def index(socket):
    return socket.getaddrinfo("localhost", 80)


async def search(asyncio):
    return socket.getaddrinfo("localhost", 80), asyncio
""",
            ),
            (
                "passed on, and outside of functions",
                _APP
                + """

ADDRESSES = socket.getaddrinfo("localhost", 80)


async def index():
    return list(map(socket.getaddrinfo, ["localhost"], [80]))
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of the loop's method."""
        method = scene.name.rpartition(".")[2]
        parameters = _PARAMETERS[method]
        if not {"host", "port"} <= set(scene.bind(*parameters)) and method == "getaddrinfo":
            raise LeaveAlone("it does not say which host and which port")
        scene.require_function()
        if any(_puts_in_place(method, file.text) for file in scene.files):
            raise LeaveAlone(f"the project has a `{method}` of its own")
        running, needed = scene.use("asyncio", "get_running_loop")
        arguments = [
            argument.with_changes(
                keyword=cst.Name(parameters[position]),
                equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
            )
            if position >= _POSITIONAL and argument.keyword is None
            else argument
            for position, argument in enumerate(scene.call.args)
        ]
        function = cst.Attribute(cst.Call(running), cst.Name(method))
        return Twin(
            scene.call.with_changes(func=function, args=arguments), (needed,), needs_loop=True
        )


def _puts_in_place(function: str, text: str) -> bool:
    """Return whether a text assigns, or names in a string as patches do, a function of `socket`."""
    return bool(re.search(rf"\b{function}\s*=[^=]|[\"'](?:socket\.)?{function}[\"']", text))
