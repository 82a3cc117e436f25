"""`requests.Session()` becomes an async session behind a sync face."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from flasync.toolkit.migration.client_recipe import ClientRecipe, bridge
from flasync.toolkit.migration.client_uses import ClientUses, Kind, Use
from flasync.toolkit.migration.http_calls import VERBS
from flasync.toolkit.migration.http_clients import NIQUESTS, HttpChoice
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.recipe import Case, LeaveAlone, RecipePage, Scene, Twin
from flasync.toolkit.migration.requests_twins import RequestsTwin

# What both sessions take by position: niquests' `get` takes the address alone.
_POSITIONS: dict[str, tuple[str, ...]] = dict.fromkeys(VERBS, ("url",)) | {
    "patch": ("url", "data"),
    "post": ("url", "data", "json"),
    "put": ("url", "data"),
    "request": ("method", "url", "params", "data", "headers"),
}
_OF_ONE_SESSION = frozenset({"headers", "params"})


class RequestsSession(ClientRecipe):
    """Makes a session of requests async; the code that uses it stays as it is."""

    name = "requests-session"
    title = "requests.Session"
    names = ("requests.Session", "requests.session")
    frees = ("requests.Session.*",)

    page = RecipePage(
        what=(
            "Replaces `requests.Session()` by `bridged(AsyncSession)`, with the `AsyncSession` of"
            " the app's `http_client` module. The calls stay: `session.get(url)`."
        ),
        meaning=(
            "As with `requests.get`: answers, errors, defaults. The session keeps its cookies and"
            " its connections as before, on the one loop of the process, and is closed at the end"
            " of its `with` block or of the process. One that a module keeps shares its cookies"
            " between requests, as before. A response is the face of one: its class is another."
        ),
        safety=(
            "Safe with niquests; nothing is done with another client. A session stays as it is when"
            " one that is kept is configured (`headers`, `auth`, `mount`): that would be lost with"
            " the loop; when one that is not kept has no `with` block; when a call gives `verify`;"
            " when it is used for more than requests, or goes where nobody can follow it; and for"
            " what leaves a call of `requests.get` alone. Either all sessions of a project are made"
            " this way or none."
        ),
        references=(
            ("Session objects", "https://requests.readthedocs.io/en/latest/user/advanced/"),
            ("niquests", "https://niquests.readthedocs.io/en/latest/user/advanced.html"),
        ),
    )

    changed = (
        Case(
            "a session in a block",
            """\
import requests


def fetch(url, token):
    with requests.Session() as session:
        session.headers["Authorization"] = token
        try:
            session.post(url, json={"a": 1})
            return session.get(url, timeout=5).json()
        except requests.Timeout:
            return None
""",
            """\
import niquests
import requests
from flasync import bridged
from http_client import AsyncSession


def fetch(url, token):
    with bridged(AsyncSession) as session:
        session.headers["Authorization"] = token
        try:
            session.post(url, json={"a": 1})
            return session.get(url, timeout=5).json()
        except (requests.Timeout, niquests.Timeout):
            return None
""",
        ),
        Case(
            "a session of a module",
            """\
from requests import Session

session = Session()


def fetch(url):
    return session.get(url, params={"a": 1}).text
""",
            """\
from flasync import bridged
from http_client import AsyncSession

session = bridged(AsyncSession)


def fetch(url):
    return session.get(url, params={"a": 1}).text
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "a session of a module with settings",
                """\
import requests

session = requests.Session()
session.headers.update({"Accept": "application/json"})


def fetch(url):
    return session.get(url).json()
""",
            ),
            (
                "a session without an end",
                """\
import requests


def fetch(url):
    session = requests.Session()
    return session.get(url).json()
""",
            ),
            (
                "adapters",
                """\
import requests


def fetch(url, adapter):
    with requests.Session() as session:
        session.mount("https://", adapter)
        return session.get(url).json()
""",
            ),
            (
                "a streamed response",
                """\
import requests


def fetch(url):
    with requests.Session() as session:
        return list(session.get(url, stream=True).iter_content())
""",
            ),
            (
                "another look at certificates for one call",
                """\
import requests


def fetch(url):
    with requests.Session() as session:
        return session.get(url, verify=False).json()
""",
            ),
            (
                "a method that is passed on",
                """\
import requests


def fetch(urls):
    with requests.Session() as session:
        return [response.text for response in map(session.get, urls)]
""",
            ),
            (
                "arguments by position",
                """\
import requests


def fetch(url):
    with requests.Session() as session:
        return session.get(url, {"a": 1}).json()
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the face of an async session."""
        choice = scene.http or HttpChoice(NIQUESTS)
        if choice.client is not NIQUESTS:
            raise LeaveAlone(f"the sessions of {choice.client.name} mean something else")
        if scene.call.args:
            raise LeaveAlone("it is called with arguments")
        uses = self.follow(scene)
        self._check_life(uses)
        session, needed = scene.use(choice.module, "AsyncSession")
        face = bridge(scene, session, needed)
        twins = [
            _check_call(scene, choice, file, call)
            for verb in VERBS
            for file, call in uses.list_calls(verb)
        ]
        imports = {item for twin in twins for item in twin.imports}
        # A clause around several calls changes once.
        clauses = {old: new for twin in twins for old, new in twin.replacements}
        return replace(
            face,
            imports=(*face.imports, *sorted(imports, key=str)),
            replacements=tuple(clauses.items()),
        )

    def differs(self, use: Use) -> bool:
        """Return whether the face of a session does not do what a use wants of it."""
        if use.kind is Kind.ATTRIBUTE:
            return use.name not in _OF_ONE_SESSION and not _is_called(use)
        return use.kind is not Kind.WITH

    def _check_life(self, uses: ClientUses) -> None:
        """Raise for a session that lives longer or shorter than its face."""
        entered = uses.find(Kind.WITH)
        if not uses.is_kept:
            if entered is None:
                raise LeaveAlone("it is made for each call of a function, without a `with` block")
            return
        if entered is not None:
            raise LeaveAlone("it is kept, and entered in a `with` statement, which closes it")
        for name in _OF_ONE_SESSION:
            use = next((use for use in uses.uses if use.name == name), None)
            if use is not None:
                raise LeaveAlone(f"it is kept, and its `{name}` at {use.place} is not, for a loop")


def _is_called(use: Use) -> bool:
    """Return whether a method is called at once that sends a request."""
    method = use.file.get_parent(use.node)
    call = use.file.get_parent(method) if method is not None else None
    return use.name in VERBS and isinstance(call, cst.Call) and call.func is method


def _check_call(scene: Scene, choice: HttpChoice, file: ParsedFile, call: cst.Call) -> Twin:
    """Return what changes with a call of a session that is bridged.

    Raises:
        LeaveAlone: The call means something else then.
    """
    name = cst.ensure_type(call.func, cst.Attribute).attr.value
    there = Scene(file, call, f"requests.Session.{name}", scene.files, choice)
    if any(arg.keyword is not None and arg.keyword.value == "verify" for arg in call.args):
        raise LeaveAlone("one of its calls gives `verify`, and all share their connections")
    twin = RequestsTwin(there).check_in_place(_POSITIONS[name])
    if twin.replacements and file is not scene.file:
        raise LeaveAlone(f"its errors are caught in another file, {file.name}")
    return twin
