"""Which files are tests, what they replace as a whole, and what they name."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.suite_reading import Suite, read_suite

Read = Callable[..., Suite]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write the files of a project, and read its tests."""

    def write(files: dict[str, str], **options: tuple[str, ...]) -> Suite:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return read_suite(tmp_path, **options)

    return write


# Which files


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test_shop.py", ""),
        ("shop_test.py", ""),
        ("shop_tests.py", ""),
        ("tests.py", ""),
        ("conftest.py", ""),
        ("shop/orders/test_orders.py", ""),
        ("tests/support.py", ""),
        ("test/unit/support.py", ""),
        ("features/steps.py", "import pytest\n"),
        ("support/mocks.py", "from unittest import mock\n"),
    ],
)
def test_files_of_tests(name: str, text: str, read: Read) -> None:
    """Files named as the frameworks expect it, those in test folders, those that import one."""
    assert read({name: text}).files == (name,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop/client.py", "import requests\n"),
        ("shop/latest.py", ""),
        ("shop/testimonials.py", ""),
        ("shop/contest.py", ""),
        ("manage.py", "def run_tests():\n    import unittest\n"),
        ("shop/pytest_words.py", '"""import pytest"""\n'),
        ("tests/data.txt", "import pytest\n"),
        ("node_modules/tests/test_a.py", ""),
        (".tox/tests/test_a.py", ""),
        ("venv/tests/test_a.py", ""),
    ],
)
def test_files_of_the_app(name: str, text: str, read: Read) -> None:
    """Other files are none, nor are those of libraries below the project."""
    assert read({name: text}).files == ()


def test_excluded_files(read: Read) -> None:
    """Files that a glob excludes are not read."""
    files = {"tests/test_a.py": "", "tests/old/test_b.py": ""}
    assert read(files, exclude=("tests/old/*",)).files == ("tests/test_a.py",)


def test_broken_file(read: Read) -> None:
    """A file that is no Python is a problem and no test."""
    suite = read({"test_a.py": "def test(:\n", "test_b.py": ""})
    assert suite.files == ("test_b.py",)
    assert [problem.place.file for problem in suite.problems] == ["test_a.py"]


def test_nothing_is_imported(read: Read) -> None:
    """The tests are not run."""
    assert read({"conftest.py": "raise AssertionError('a migration runs nothing')\n"}).files


# What is replaced


def test_patch_of_one_call(read: Read) -> None:
    """A patch is found with its place, the one that is certain before one that may be."""
    suite = read(
        {
            "tests/conftest.py": 'NAMES = ["requests.get"]\n',
            "tests/test_shop.py": 'def test_it(mocker):\n    mocker.patch("requests.get")\n',
        }
    )
    found = suite.find_patch("requests.get", "shop", "requests.get(…)")
    assert found == Place("tests/test_shop.py", 2, 5)
    assert suite.find_patch("time.sleep", "shop", "time.sleep(…)") is None


def test_patch_of_what_is_unknown(read: Read) -> None:
    """A patch through a helper may be of any path that the tests write."""
    files = {
        "conftest.py": "def replace(target, mocker):\n    mocker.patch(target)\n",
        "test_shop.py": 'def test_it():\n    replace("requests.adapters.HTTPAdapter.send")\n',
    }
    call = ("requests.get", "shop", "requests.get(…)")
    assert read(files).find_patch(*call) is not None
    files["conftest.py"] = "def replace(target, mocker): ...\n"
    assert read(files).find_patch(*call) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import responses\n", "requests.get"),
        ("import responses\n", "stripe.Charge.create"),
        ("from responses import matchers\n", "requests.Session.post"),
        ("def test_it(requests_mock): ...\n", "requests.get"),
        ("@pytest.mark.vcr\ndef test_it(): ...\n", "urllib.request.urlopen"),
        ("@pytest.mark.vcr()\ndef test_it(): ...\n", "httpx.get"),
        ("import httpretty\n", "http.client.HTTPConnection.request"),
        ("import respx\n", "httpx.Client.get"),
        ("from fakeredis import FakeRedis\n", "redis.client.Redis.get"),
        ("import mongomock\n", "pymongo.collection.Collection.find"),
        ("from moto import mock_aws\n", "boto3.client"),
        ("def test_it(fs): ...\n", "builtins.open"),
        ('@pytest.mark.usefixtures("fs")\ndef test_it(): ...\n', "pathlib.Path.read_text"),
        ("def test_it(fp): ...\n", "subprocess.run"),
    ],
)
def test_library_replaced_as_a_whole(text: str, name: str, read: Read) -> None:
    """Libraries that stand in for another are known by import, fixture and mark."""
    suite = read({"test_shop.py": text})
    assert suite.find_patch(name, "shop.client", f"{name}(…)") is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import responses\n", "smtplib.SMTP"),
        ("import responses\n", "redis.client.Redis.get"),
        ("import respx\n", "requests.get"),
        ("from fakeredis import FakeRedis\n", "requests.get"),
        ("def test_it(fs): ...\n", "sqlite3.connect"),
        ("def test_it(fs): ...\n", "builtins.input"),
        ("import freezegun\n", "time.sleep"),
        ("import time_machine\n", "time.sleep"),
        ("def test_it(httpserver): ...\n", "requests.get"),
        ("def test_it(smtpd): ...\n", "smtplib.SMTP"),
        ("def test_it(client): ...\n", "requests.get"),
        ("found = page['responses']\n", "requests.get"),
        ("found = page.vcr\n", "requests.get"),
        ("fs = 1\n", "builtins.open"),
        ("from .responses import matchers\n", "requests.get"),
        ("def responses(): ...\n", "requests.get"),
    ],
)
def test_library_left_alone(text: str, name: str, read: Read) -> None:
    """Real servers, clocks, and other things of those names replace no library."""
    suite = read({"test_shop.py": text})
    assert suite.find_patch(name, "shop.client", f"{name}(…)") is None


# What is named

MENTIONS = {
    "an import": "from shop.prices import fetch_price",
    "an import under another name": "from shop.prices import fetch_price as fetch",
    "a name": "fetch_price(1)",
    "an attribute": "prices.fetch_price(1)",
    "an argument": "call(fetch_price)",
    "a patch": 'mocker.patch("shop.prices.fetch_price")',
    "a patch of what is in it": 'mocker.patch("shop.prices.fetch_price.cache")',
    "a patch of an object": 'mocker.patch.object(prices, "fetch_price")',
    "monkeypatch": 'monkeypatch.setattr(prices, "fetch_price", 1)',
    "several": "mocker.patch.multiple(prices, fetch_price=1)",
    "a path in a table": 'PATHS = ["shop.prices.fetch_price"]',
}
NO_MENTIONS = {
    "a URL": 'client.get("/fetch_price")',
    "an endpoint": 'url_for("fetch_price")',
    "an endpoint of a blueprint": 'url_for("prices.fetch_price", id=1)',
    "an endpoint that is compared": 'assert request.endpoint == "prices.fetch_price"',
    "a longer name": "fetch_prices(1)",
    "a text": 'print("fetch_price")',
    "a comment": "x = 1  # fetch_price",
    "the name of a test": "def test_fetch_price(): ...",
    "a keyword": "call(fetch_price=1)",
}


@pytest.mark.parametrize("text", MENTIONS.values(), ids=MENTIONS)
def test_mention(text: str, read: Read) -> None:
    """Names, attributes, imports and patches mention a function, whatever they mean by it."""
    suite = read({"test_a.py": "x = 1\n", "test_b.py": f"\n{text}\n"})
    found = suite.find_mention("fetch_price")
    assert found is not None
    assert (found.file, found.line) == ("test_b.py", 2)


@pytest.mark.parametrize("text", NO_MENTIONS.values(), ids=NO_MENTIONS)
def test_no_mention(text: str, read: Read) -> None:
    """Endpoints, URLs and longer names do not."""
    assert read({"test_a.py": f"{text}\n"}).find_mention("fetch_price") is None


USES = {
    "an import": "from shop.auth import login",
    "an import under another name": "from shop.auth import login as log_in",
    "an attribute of what is imported": "from shop import auth\nauth.login()",
    "from everything": "from shop.auth import *\nlogin()",
    "a patch": 'mocker.patch("shop.auth.login")',
    "from the package": "from shop import login",
    "from beside the tests": "from ..auth import login",
    "by the module in full": "import shop.auth\nshop.auth.login()",
    "by the package": "import shop\nshop.login()",
}
NO_USES = {
    "a helper of the tests": "def login(client):\n    client.post('/login')\n\n\nlogin(1)",
    "a fixture": "def test_it(auth):\n    auth.login()",
    "a method of a test case": "class T:\n    def test(self):\n        self.login()",
    "an endpoint": 'url_for("login")',
    "a method of what is imported": "from shop.models import db\ndb.session.login()",
    "that of another module": "from support import login\nlogin()",
    "an attribute of what a call gives": "from shop import make\nmake().login()",
}


@pytest.mark.parametrize("text", USES.values(), ids=USES)
def test_use(text: str, read: Read) -> None:
    """What is imported by a name, or read from what is imported, uses it."""
    assert read({"test_a.py": f"{text}\n"}).find_use("login", "shop.auth") is not None


@pytest.mark.parametrize("text", NO_USES.values(), ids=NO_USES)
def test_no_use(text: str, read: Read) -> None:
    """What the tests call so themselves does not."""
    assert read({"test_a.py": f"{text}\n"}).find_use("login", "shop.auth") is None
