"""`httpx.get(url)` becomes a call of the HTTP client that the whole app shares."""

from __future__ import annotations

import libcst as cst

from flasync.toolkit.migration.http_calls import VERBS, bind_arguments, build_call, check_place
from flasync.toolkit.migration.http_clients import HTTPX, HttpChoice
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin
from flasync.toolkit.migration.value_uses import list_uses

_OF_A_CLIENT = "which belongs to a client and not to a call"
_LEFT = dict.fromkeys(("cert", "cookies", "proxy", "trust_env"), _OF_A_CLIENT)
_AUTH = frozenset({"httpx.BasicAuth", "httpx.DigestAuth", "httpx.NetRCAuth"})


class HttpxCall(Recipe):
    """Awaits the shared client's twin of a function of httpx."""

    name = "httpx-call"
    title = "httpx.get"
    names = tuple(f"httpx.{verb}" for verb in VERBS)

    page = RecipePage(
        what=(
            "Replaces `httpx.get(url)`, `post`, `put`, `patch`, `delete`, `head`, `options` and"
            " `request` by `await http.get(url)`, in code that stays sync by"
            " `await_(http.get(url))`. `http` comes from one new module, `http_client`, which holds"
            " the app's one pool of connections."
        ),
        meaning=(
            "It is the same library: response, errors, timeout and redirects are the same. Each"
            " call keeps its own cookies, through its redirects: none are shared. Calls with"
            " another `verify` share no connection, and any number of calls may be under way.\n\n"
            "What differs: `close()` of a response, which has nothing to close any more, fails. The"
            " text of some errors, not their class: a timeout has none. A connection that is kept"
            " may be closed by the server in the moment in which it is used again, which is a"
            " `RemoteProtocolError`; a connection made for one call is not."
        ),
        safety=(
            "Safe. Nothing is done with `cookies`, `proxy`, `cert` or `trust_env`, which are those"
            " of a client; with a body or an `auth` that may only work in sync code; when `close`"
            " of the response is used; and when another client was chosen."
        ),
        references=(
            ("Async support", "https://www.python-httpx.org/async/"),
            ("Clients", "https://www.python-httpx.org/advanced/clients/"),
        ),
    )

    changed = (
        Case(
            "a call with its except clause",
            """\
import httpx


async def forecast(city):
    try:
        response = httpx.get("https://example.org/weather", params={"q": city}, timeout=5)
        response.raise_for_status()
    except httpx.HTTPError as error:
        return str(error), 502
    return response.json()
""",
            """\
import httpx
from http_client import http


async def forecast(city):
    try:
        response = await http.get("https://example.org/weather", params={"q": city}, timeout=5)
        response.raise_for_status()
    except httpx.HTTPError as error:
        return str(error), 502
    return response.json()
""",
        ),
        Case(
            "a response that goes anywhere",
            """\
from httpx import BasicAuth, post


async def send(url, form, cache):
    cache[url] = post(
        url,
        data=form,  # of the user
        auth=BasicAuth("me", ""),
        content=b"text",
    )
    return cache
""",
            """\
from http_client import http
from httpx import BasicAuth


async def send(url, form, cache):
    cache[url] = await http.post(
        url,
        data=form,  # of the user
        auth=BasicAuth("me", ""),
        content=b"text",
    )
    return cache
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "cookies and proxies",
                """\
import httpx


async def fetch(url, proxy):
    httpx.get(url, cookies={"a": "b"})
    httpx.get(url, proxy=proxy, trust_env=False)
""",
            ),
            (
                "a body that may be an iterator",
                """\
import httpx


async def send(url, body):
    httpx.post(url, content=body)
    httpx.post(url, data=(part for part in body))
""",
            ),
            (
                "an authentication that is not known",
                """\
import httpx


async def fetch(url, auth):
    return httpx.get(url, auth=auth)
""",
            ),
            (
                "a response that is closed",
                """\
import httpx


async def fetch(url):
    response = httpx.get(url)
    response.close()
    return response.text
""",
            ),
            (
                "a verification that is computed",
                """\
import httpx


async def fetch(url, tenant):
    return httpx.get(url, verify=tenant.make_context())
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the call of the shared client."""
        choice = scene.http or HttpChoice(HTTPX)
        if choice.client is not HTTPX:
            raise LeaveAlone(f"the chosen client is {choice.client.name}")
        check_place(scene)
        bound = bind_arguments(scene, ("method", "url") if _is_general(scene) else ("url",), _LEFT)
        if "auth" in bound and not _is_known_auth(scene, bound["auth"].value):
            raise LeaveAlone("`auth` may be an object that works in sync code alone")
        _check_body(bound)
        if any(use.attribute == "close" for use in list_uses(scene.file, scene.call)):
            raise LeaveAlone("`close` of its response is used")
        call, needed = build_call(scene, choice, bound, {})
        return Twin(call, (needed,))


def _is_general(scene: Scene) -> bool:
    return scene.name.endswith(".request")


def _is_known_auth(scene: Scene, value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Tuple) or (isinstance(value, cst.Name) and value.value == "None"):
        return True
    names = scene.file.name_qualified(value.func) if isinstance(value, cst.Call) else ()
    return bool(names) and _AUTH.issuperset(names)


def _check_body(bound: dict[str, cst.Arg]) -> None:
    content = bound["content"].value if "content" in bound else None
    is_text = isinstance(content, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)
    data = bound["data"].value if "data" in bound else None
    if (content is not None and not is_text) or isinstance(data, cst.GeneratorExp):
        raise LeaveAlone("its body may be an iterator that works in sync code alone")
