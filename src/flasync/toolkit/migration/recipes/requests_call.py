"""`requests.get(url)` becomes a call of the HTTP client that the whole app shares."""

from __future__ import annotations

from flasync.toolkit.migration.http_calls import VERBS
from flasync.toolkit.migration.recipe import Case, Recipe, RecipePage, Scene, Twin
from flasync.toolkit.migration.requests_twins import RequestsTwin


class RequestsCall(Recipe):
    """Awaits the shared client's twin of a function of requests."""

    name = "requests-call"
    title = "requests.get"
    names = tuple(f"requests.{verb}" for verb in VERBS)

    page = RecipePage(
        what=(
            "Replaces `requests.get(url)`, `post`, `put`, `patch`, `delete`, `head`, `options` and"
            " `request` by `await http.get(url)`, in code that stays sync by"
            " `await_(http.get(url))`. `http` comes from one new module, `http_client`, which holds"
            " the app's one pool of connections; `except requests.Timeout` becomes"
            " `except niquests.Timeout` with it."
        ),
        meaning=(
            "With niquests, measured call by call against a real server: status, headers, body,"
            " `ok`, `json()`, `text`, `url`, `history`, `cookies`, `elapsed`, `raise_for_status()`;"
            " redirects, which HEAD does not follow; what is sent for `params`, `data`, `json`,"
            " `files`, `headers`, `auth`, `cookies`; no timeout where none is given; proxies, netrc"
            " and REQUESTS_CA_BUNDLE of the environment; and the class of each error. The module"
            " restores what niquests has otherwise: its default timeout, its checks for revoked"
            " certificates, HTTP/2 and 3, ISO-8859-1 for text without a charset. Each call keeps"
            " its own cookies, through its redirects, as before: none are shared. Calls with"
            " another `verify` share no connection.\n\n"
            "What differs: the User-Agent names niquests; it reads the proxies of the environment"
            " once in a process; certificates are those that the system"
            " trusts, not certifi's; `repr()` of a response shows the version of HTTP; `text` is"
            " None for a body of no declared and no likely encoding. A connection that is kept may"
            " be closed by the server in the moment in which it is used again, which is a"
            " `ConnectionError`; a connection made for one call is not. niquests installs"
            " urllib3-future in the place of urllib3.\n\n"
            "With httpx or httpx2 less stays: `except` clauses get the nearest classes, `ok`"
            " becomes `not is_error`, netrc and REQUESTS_CA_BUNDLE are not read, and some of what"
            " is sent is written otherwise."
        ),
        safety=(
            "Safe with niquests, unsafe with httpx and httpx2. Nothing is done with `stream=True`,"
            " `cert`, `hooks`, stars, an `auth` that is no pair, a `verify` that is computed for"
            " the call, or a body from a generator; when the response is asked for what the new one"
            " lacks (`apparent_encoding`, `raw`) or passed on to other code than functions of its"
            " file; and when the errors of requests are named in another place than an `except`"
            " clause, or caught in another file around calls that lead here. Such a call is made in"
            " a thread, as it is."
        ),
        references=(
            ("requests", "https://requests.readthedocs.io/en/latest/api/"),
            ("niquests", "https://niquests.readthedocs.io/en/latest/user/advanced.html"),
            ("httpx for users of requests", "https://www.python-httpx.org/compatibility/"),
        ),
    )

    changed = (
        Case(
            "a call with its except clause",
            """\
import requests


async def forecast(city):
    try:
        response = requests.get("https://example.org/weather", params={"q": city}, timeout=5)
        response.raise_for_status()
    except requests.Timeout:
        return "late", 504
    except requests.exceptions.RequestException as error:
        return str(error), 502
    return response.json()
""",
            """\
import niquests
from http_client import http


async def forecast(city):
    try:
        response = await http.get("https://example.org/weather", params={"q": city}, timeout=5)
        response.raise_for_status()
    except niquests.Timeout:
        return "late", 504
    except niquests.RequestException as error:
        return str(error), 502
    return response.json()
""",
        ),
        Case(
            "arguments by position",
            """\
from requests import post


async def send(url, form):
    return post(url, form, {"a": 1}).ok  # sent
""",
            """\
from http_client import http


async def send(url, form):
    return (await http.post(url, data=form, json={"a": 1})).ok  # sent
""",
        ),
        Case(
            "another call under the same clause",
            """\
import requests
from supplier import reserve


async def order(url):
    try:
        reserve(url)
        return requests.post(url).status_code
    except (KeyError, requests.ConnectionError):
        return 502
""",
            """\
import niquests
import requests
from http_client import http
from supplier import reserve


async def order(url):
    try:
        reserve(url)
        return (await http.post(url)).status_code
    except (KeyError, requests.ConnectionError, niquests.ConnectionError):
        return 502
""",
        ),
        Case(
            "caught by the caller",
            """\
import requests


async def fetch(url):
    return requests.get(url).json()


async def view(url):
    try:
        return fetch(url)
    except requests.Timeout:
        return {}
""",
            """\
import niquests
import requests
from http_client import http


async def fetch(url):
    return (await http.get(url)).json()


async def view(url):
    try:
        return fetch(url)
    except (requests.Timeout, niquests.Timeout):
        return {}
""",
        ),
        Case(
            "a response that is tested, returned and passed on",
            """\
import requests
from requests.auth import HTTPBasicAuth


def read(response):
    return response.text


async def fetch(url, name):
    response = requests.request("GET", url, auth=HTTPBasicAuth(name, ""), verify=False)
    if not response or response is None:
        return response
    response.encoding = "utf-8"
    return read(response)
""",
            """\
from http_client import http
from requests.auth import HTTPBasicAuth


def read(response):
    return response.text


async def fetch(url, name):
    response = await http.request("GET", url, auth=HTTPBasicAuth(name, ""), verify=False)
    if not response or response is None:
        return response
    response.encoding = "utf-8"
    return read(response)
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "a streamed response",
                """\
import requests


async def fetch(url):
    return requests.get(url, stream=True).iter_content(1024)
""",
            ),
            (
                "options that may hold anything",
                """\
import requests


async def fetch(url, **options):
    return requests.get(url, **options).ok
""",
            ),
            (
                "an attribute that only requests has",
                """\
import requests


async def fetch(url):
    response = requests.get(url)
    response.encoding = response.apparent_encoding
    return response.text
""",
            ),
            (
                "a response that goes to a library",
                """\
import requests
from parser import parse


async def fetch(url):
    response = requests.get(url)
    return parse(response)
""",
            ),
            (
                "a response that is stored",
                """\
import requests


async def fetch(cache, url):
    cache[url] = requests.get(url)
""",
            ),
            (
                "an error handler of the app",
                """\
import flask
import requests

app = flask.Flask(__name__)


@app.errorhandler(requests.Timeout)
def late(error):
    return "late", 504


@app.get("/")
async def fetch():
    return requests.get("https://example.org/").json()
""",
            ),
            (
                "classes in a tuple of their own",
                """\
from requests import ConnectionError, Timeout, get

ERRORS = (ConnectionError, Timeout)


async def fetch(url):
    try:
        return get(url).json()
    except ERRORS:
        return None
""",
            ),
            (
                "the errors of the library below",
                """\
import requests
import urllib3


async def fetch(url):
    try:
        return requests.get(url).json()
    except urllib3.exceptions.HTTPError:
        return None
""",
            ),
            (
                "an authentication that is not known",
                """\
import requests


async def fetch(url, auth):
    return requests.get(url, auth=auth).json()
""",
            ),
            (
                "hooks and client certificates",
                """\
import requests


async def fetch(url, log, pair):
    requests.get(url, hooks={"response": log})
    requests.get(url, cert=pair)
""",
            ),
            (
                "outside of functions",
                """\
import requests

RATES = requests.get("https://example.org/rates").json()
""",
            ),
            (
                "another meaning of the name of the client",
                """\
import http

import requests


async def fetch(url):
    return requests.get(url).status_code == http.HTTPStatus.OK
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of the shared client."""
        return RequestsTwin(scene).build()
