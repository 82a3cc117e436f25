"""FSY107: waiting for a name server in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class BlockingDns(BlockingCallRule):
    """Finds look-ups of host names."""

    code = "FSY107"
    name = "blocking-dns"
    kind = Kind.DNS
    waiting = "asks a name server and waits for the answer"

    page = Page(
        what="Finds calls that look up host names or addresses.",
        why=(
            "A look-up takes a few milliseconds, until a name server is down: then each one takes"
            " five seconds and more before it fails. Meanwhile a sync view holds its thread, and an"
            " async view stops every other request of the process."
        ),
        example="""\
@app.get("/resolve/<host>")
async def resolve(host):
    answers = socket.getaddrinfo(host, None, family=socket.AF_INET)
    return answers[0][4][0]
""",
        instead="""\
@app.get("/resolve/<host>")
async def resolve(host):
    answers = await asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
    return answers[0][4][0]
""",
        fix_safety=(
            "The loop's own `getaddrinfo` and `getnameinfo` answer as those of `socket` do, and"
            " `flasync migrate` writes them. `gethostbyname` and its like return something else,"
            " and the same names in another order: they are called with `flasync.run_sync`."
        ),
        references=(
            (
                "asyncio: DNS",
                "https://docs.python.org/3/library/asyncio-eventloop.html#dns",
            ),
        ),
    )

    invalid = (
        Case(
            "gethostbyname",
            {
                "app.py": """\
import socket

import flask

app = flask.Flask(__name__)


@app.get("/<host>")
def resolve(host):
    return socket.gethostbyname(host)  # FSY107
"""
            },
        ),
        Case(
            "getaddrinfo in an async helper",
            {
                "app.py": """\
from socket import getaddrinfo as look_up

import flask

app = flask.Flask(__name__)


async def resolve(host):
    return look_up(host, None)  # FSY107


@app.get("/<host>")
async def show(host):
    return str(await resolve(host))
"""
            },
        ),
    )
    valid = (
        Case(
            "the loop's own",
            {
                "app.py": """\
import asyncio

import flask

app = flask.Flask(__name__)


@app.get("/<host>")
async def resolve(host):
    return str(await asyncio.get_running_loop().getaddrinfo(host, None))
"""
            },
        ),
        Case(
            "an address that is only rewritten",
            {
                "app.py": """\
import socket

import flask

app = flask.Flask(__name__)


@app.get("/<host>")
def show(host):
    return socket.inet_aton(host).hex()
"""
            },
        ),
        Case(
            "a function of the project of the same name",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


def gethostbyname(host):
    return host


@app.get("/<host>")
def show(host):
    return gethostbyname(host)
"""
            },
        ),
    )
