"""The `except` clauses that change with a call of requests, in one file and in several."""

import textwrap

import pytest

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import CallChange, Safety
from flasync.toolkit.migration.recipe import LeaveAlone, Scene
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import render

RECIPE = "requests-call"


def migrate(text: str, *others: str) -> str:
    """What becomes of a file in a project with others; raises what the recipe says of a call."""
    texts = [textwrap.dedent(text), *map(textwrap.dedent, others)]
    file, *rest = (ParsedFile(f"shop/file_{i}.py", text) for i, text in enumerate(texts))
    files = (file, *rest)
    changes = []
    for span, call in file.list_calls():
        for name in load_recipes()[RECIPE].names:
            if name in file.name_qualified(call.func):
                load_recipes()[RECIPE].build(Scene(file, call, name, files))
                changes.append(CallChange(span, name, Way.REWRITE, RECIPE, Safety.SAFE, ""))
    return render(file, changes, load_recipes(), files=files)


def list_caught(text: str, *others: str) -> list[str]:
    """The lines with `except` of a file that was migrated."""
    return [line.strip() for line in migrate(text, *others).splitlines() if "except" in line]


def test_exchanges_what_one_call_raises() -> None:
    """Where nothing but the call can raise them, the classes are exchanged."""
    code = """
        import logging
        import requests

        log = logging.getLogger(__name__)

        async def fetch(form):
            try:
                response = requests.get("https://example.org/", params={"a": form.get("a")})
                response.raise_for_status()
                log.info("%s", len(response.json()["items"][0].strip()))
            except (KeyError, requests.Timeout):
                raise
            except requests.exceptions.SSLError as error:
                return str(error)
            except(requests.RequestException):
                return None
        """
    assert list_caught(code) == [
        "except (KeyError, niquests.Timeout):",
        "except niquests.exceptions.SSLError as error:",
        "except(niquests.RequestException):",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "stripe.charge()",
        "find_supplier().order()",
        "client.fetch()",
        "sessions.get(url)",
        "sessions.get('https://example.org/')",
        "raise requests.Timeout('too late')",
        "requests.post(url)",
        "fetch_other(url)",
    ],
)
def test_catches_both_beside_other_code(line: str) -> None:
    """Where something else may raise the old errors, both are caught."""
    code = f"""
        import requests
        import stripe

        async def fetch_other(url):
            return requests.get(url).json()

        async def fetch(url, client, sessions):
            try:
                requests.get(url).json()
                {line}
            except requests.Timeout:
                return None
        """
    assert list_caught(code) == ["except (requests.Timeout, niquests.Timeout):"]


def test_follows_the_response() -> None:
    """A clause around a later use of the response catches both."""
    code = """
        import requests

        async def fetch(url):
            response = requests.get(url)
            try:
                response.raise_for_status()
            except requests.HTTPError as error:
                return error.response.status_code
        """
    assert list_caught(code) == ["except (requests.HTTPError, niquests.HTTPError) as error:"]


def test_changes_every_clause_around() -> None:
    """Inner and outer clauses change; the block of a clause or of `else` is not guarded."""
    code = """
        import requests

        async def fetch(url):
            try:
                try:
                    print(url)
                except requests.URLRequired:
                    requests.get(url)
                else:
                    print(url)
            except requests.Timeout:
                return None
        """
    assert list_caught(code) == ["except requests.URLRequired:", "except niquests.Timeout:"]


def test_leaves_clauses_that_nothing_leads_to() -> None:
    """A clause around other calls stays, in this file and in others."""
    code = """
        import requests

        async def fetch(url):
            return requests.get(url).json()

        def pay(client):
            try:
                client.pay()
            except requests.Timeout:
                return None
        """
    other = """
        import requests

        def ship(parcel):
            try:
                requests.post(parcel)
            except requests.ConnectionError:
                return None
        """
    assert list_caught(code, other) == ["except requests.Timeout:"]


def test_changes_the_clause_of_a_caller() -> None:
    """A clause of the same file that leads to the call, over other functions, catches both."""
    code = """
        import requests

        async def fetch(url):
            return requests.get(url).json()

        class Supplier:
            async def ask(self):
                return await fetch("https://example.org/")

        async def view(supplier):
            try:
                return await supplier.ask()
            except requests.Timeout:
                return None
        """
    assert list_caught(code) == ["except (requests.Timeout, niquests.Timeout):"]


@pytest.mark.parametrize(
    "other",
    [
        """
        import requests
        from shop.file_0 import fetch

        def view():
            try:
                return fetch("https://example.org/")
            except requests.Timeout:
                return None
        """,
        """
        import requests

        def view(response):
            try:
                response.raise_for_status()
            except requests.HTTPError:
                return None
        """,
        """
        import requests
        from shop.file_0 import fetch as load

        def index():
            get = load
            try:
                return get("/")
            except requests.HTTPError:
                return None
        """,
    ],
    ids=["of the call", "of the response", "of the call by another name"],
)
def test_leaves_calls_whose_errors_another_file_catches(other: str) -> None:
    """An error or a response that reaches a clause in another file leaves the call as it is."""
    code = """
        import requests

        def fetch(url):
            return requests.get(url)
        """
    with pytest.raises(LeaveAlone, match=r"caught at shop/file_1\.py:\d, in another file"):
        migrate(code, other)


@pytest.mark.parametrize(
    "other",
    [
        "import requests\nERRORS = (requests.Timeout, OSError)",
        "from requests.exceptions import Timeout\nimport contextlib\ncontextlib.suppress(Timeout)",
        "import requests\ndef is_late(error): return isinstance(error, requests.Timeout)",
        "import requests.exceptions as errors\ndef find(name): return getattr(errors, name)",
        "from requests import *",
        "import requests\nfrom backoff import retry\n@retry(requests.Timeout)\ndef f(): ...",
    ],
)
def test_leaves_calls_when_errors_are_used_otherwise(other: str) -> None:
    """Errors that are named anywhere but in an `except` clause leave all calls as they are."""
    code = """
        import requests

        def fetch(url):
            return requests.get(url).json()
        """
    with pytest.raises(LeaveAlone, match=r"are named at shop/file_1\.py:\d"):
        migrate(code, other)


@pytest.mark.parametrize(
    "other",
    [
        "import requests\ndef f(error: requests.Timeout) -> requests.Response: ...",
        "import requests\ndef f(): raise requests.Timeout('too late')",
        "import requests\nOK = requests.codes.ok",
        "def f(self): return self.requests.exceptions, dict(requests=1)",
        "import requests\nclass Client:\n    def get(self): return requests.Session().get('a')",
    ],
)
def test_minds_no_other_mention(other: str) -> None:
    """Annotations, raised errors and what is no error stand in nobody's way."""
    code = """
        import requests

        def fetch(url):
            return requests.get(url).json()
        """
    assert "await_(http.get(url)).json()" in migrate(code, other)
