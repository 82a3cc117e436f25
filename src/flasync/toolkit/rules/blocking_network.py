"""FSY102: waiting for another machine in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page


class BlockingNetwork(BlockingCallRule):
    """Finds calls of HTTP clients, mail, caches and other services that wait for the answer."""

    code = "FSY102"
    name = "blocking-network"
    kind = Kind.NETWORK
    waiting = "waits for the network"

    page = Page(
        what=(
            "Finds calls that send something over the network and wait for the answer: HTTP"
            " clients, Redis, mail, search engines, cloud and payment services, sockets."
        ),
        why=(
            "Another machine decides how long it takes: 200 ms on a good day, a minute on a bad"
            " one. A sync view holds its worker thread for all of it, so a slow supplier uses up"
            " all threads and the rest of the site hangs. Nothing in a Flask app gains more from"
            " asyncio: an awaited request costs no thread, and hundreds may wait at once."
            " Blocking calls in an async view are the opposite: while one waits, no other async"
            " request of the process is served."
        ),
        example="""\
@app.get("/stock/<isbn>")
def stock(isbn):
    answer = requests.get(f"{SUPPLIER}/stock/{isbn}", timeout=5)
    return answer.json()
""",
        instead="""\
@app.while_serving
async def open_http():
    global http
    async with httpx.AsyncClient(timeout=5) as http:
        yield


@app.get("/stock/<isbn>")
async def stock(isbn):
    answer = await http.get(f"{SUPPLIER}/stock/{isbn}")
    return answer.json()
""",
        fix_safety=(
            "Another client is another library: exceptions, timeouts and redirects may have other"
            " names and defaults. `flasync migrate` knows requests and httpx call by call, changes"
            " `except` clauses with them, and hands what it cannot compare to `flasync.run_sync`."
            " A Redis client or a session that many helpers share gets an async one behind"
            " `flasync.bridged`, and the helpers stay. Other clients are exchanged by a person."
        ),
        references=(
            ("HTTPX: async support", "https://www.python-httpx.org/async/"),
            (
                "redis-py: asyncio examples",
                "https://redis.readthedocs.io/en/stable/examples/asyncio_examples.html",
            ),
        ),
    )

    invalid = (
        Case(
            "an alias of the module",
            {
                "app.py": """\
import flask
import httpx as client

app = flask.Flask(__name__)


@app.get("/")
def index():
    return client.get("http://127.0.0.1:9/").text  # FSY102
"""
            },
        ),
        Case(
            "urllib in an async view",
            {
                "app.py": """\
from urllib.request import urlopen

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    with urlopen("http://127.0.0.1:9/") as answer:  # FSY102
        return answer.read()
"""
            },
        ),
        Case(
            "a client made in the function",
            {
                "app.py": """\
import flask
import redis

app = flask.Flask(__name__)


@app.get("/")
def index():
    store = redis.Redis()
    store.incr("visits")  # FSY102
    return "done"
"""
            },
        ),
        Case(
            "a client in an attribute of the project's own class",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


class Supplier:
    def __init__(self):
        self.http = httpx.Client()

    def ask(self, path):
        return self.http.get(path).text  # FSY102


supplier = Supplier()


@app.get("/")
def index():
    return supplier.ask("http://127.0.0.1:9/")
"""
            },
        ),
        Case(
            "in a context manager",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


@app.get("/")
def index():
    with httpx.Client() as client:
        return client.post("http://127.0.0.1:9/").text  # FSY102
"""
            },
        ),
        Case(
            "a method of a class-based view",
            {
                "app.py": """\
import flask
import flask.views
import httpx

app = flask.Flask(__name__)


class Stock(flask.views.MethodView):
    def get(self):
        return self.ask()

    def ask(self):
        return httpx.get("http://127.0.0.1:9/").text  # FSY102


app.add_url_rule("/", view_func=Stock.as_view("stock"))
"""
            },
        ),
        Case(
            "an annotated parameter",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


def ask(client: httpx.Client) -> str:
    return client.get("http://127.0.0.1:9/").text  # FSY102


@app.get("/")
def index():
    return ask(app.config["CLIENT"])
"""
            },
        ),
        Case(
            "a blueprint of a factory's app",
            {
                "app.py": """\
import flask

import shop


def create_app():
    app = flask.Flask(__name__)
    app.register_blueprint(shop.bp)
    return app


app = create_app()
""",
                "shop.py": """\
import flask
import httpx

bp = flask.Blueprint("shop", __name__)


@bp.get("/")
def index():
    return httpx.get("http://127.0.0.1:9/").text  # FSY102
""",
            },
        ),
    )
    valid = (
        Case(
            "the async client, awaited",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


@app.get("/")
async def index():
    async with httpx.AsyncClient() as client:
        answer = await client.get("http://127.0.0.1:9/")
    return answer.text
"""
            },
        ),
        Case(
            "the async client under the name of the sync one",
            {
                "app.py": """\
import flask
from httpx import AsyncClient as Client

app = flask.Flask(__name__)


@app.get("/")
async def index():
    async with Client() as client:
        return (await client.get("http://127.0.0.1:9/")).text
"""
            },
        ),
        Case(
            "redis.asyncio under the name redis",
            {
                "app.py": """\
import flask
from redis import asyncio as redis

app = flask.Flask(__name__)


@app.get("/")
async def index():
    store = redis.Redis()
    await store.incr("visits")
    return "done"
"""
            },
        ),
        Case(
            "a client with a sync face",
            {
                "app.py": """\
import flask
import httpx

from flasync import bridged

app = flask.Flask(__name__)
http = bridged(httpx.AsyncClient)


@app.get("/")
def index():
    return http.get("http://127.0.0.1:9/").text
"""
            },
        ),
        Case(
            "a local variable named like the module",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


@app.get("/")
def index():
    httpx = {"path": "/"}
    return httpx.get("path")
"""
            },
        ),
        Case(
            "a parameter named like the module",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


def read(httpx):
    return httpx.get("path", "none")


@app.get("/")
def index():
    return read(flask.request.args)
"""
            },
        ),
        Case(
            "a class of the project with a method `get`",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


class Client:
    def get(self, path):
        return path


client = Client()


@app.get("/")
def index():
    return client.get("http://127.0.0.1:9/")
"""
            },
        ),
        Case(
            "run in a thread",
            {
                "app.py": """\
import flask
import httpx

from flasync import run_sync

app = flask.Flask(__name__)


@app.get("/")
async def index():
    answer = await run_sync(httpx.get, "http://127.0.0.1:9/")
    return answer.text
"""
            },
        ),
        Case(
            "a client that is only made",
            {
                "app.py": """\
import flask
import httpx
import redis

app = flask.Flask(__name__)
store = redis.Redis()
http = httpx.Client()


@app.get("/")
def index():
    return {"timeout": http.timeout.read, "url": str(httpx.URL("http://127.0.0.1:9/"))}
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": """\
import flask
import httpx

app = flask.Flask(__name__)


@app.cli.command("fetch-prices")
def fetch_prices():
    print(httpx.get("http://127.0.0.1:9/").text)


@app.get("/")
def index():
    return "done"
"""
            },
        ),
    )
