"""Which calls of a project a patch in a test reaches."""

import importlib
from pathlib import Path

import pytest

from flasync.toolkit.migration.patches import Call, find_patches
from flasync.toolkit.sources import SourceFile

HEAD = """\
import sys
from unittest import mock
from unittest.mock import patch

import requests
import shop
import shop.mail as mail
from shop import client
from shop.client import Client
from shop.models import db

MODULE = "shop.client"

"""

GET = Call("requests.get", "shop.client", "requests.get(…)")
FROM_IMPORT = Call("requests.get", "shop.client", "get(…)")
RENAMED = Call("requests.get", "shop.client", "rq.get(…)")
SESSION = Call("requests.Session.get", "shop.client", "self.session.get(…)")
MADE = Call("requests.Session", "shop.client", "requests.Session()")
SLEEP = Call("time.sleep", "shop.client", "time.sleep(…)")
REDIS = Call("redis.client.Redis.get", "shop.client", "redis_client.get(…)")
CHAINED = Call("redis.client.Redis.get", "shop.client", "get_redis().get(…)")
COMMIT = Call("sqlalchemy.orm.session.Session.commit", "shop.views", "db.session.commit()")
OPEN = Call("builtins.open", "shop.client", "open(…)")
RUN = Call("subprocess.check_output", "shop.client", "subprocess.check_output(…)")
OWN = Call("shop.models.Book.authors", "shop.views", "book.authors")
QUERY = Call("sqlalchemy.orm.Query.first", "shop.views", "Book.query.filter_by(…).first()")
UNKNOWN = Call("unheard_of.get", "shop.client", "unheard_of.get(…)")
ROOT = Call("requests.get", "app", "requests.get(…)")

REACHED = {
    "the function itself": ('patch("requests.get")', GET),
    "by way of the module": ('patch("shop.client.requests.get")', GET),
    "by way of another module": ('patch("shop.views.requests.get")', GET),
    "in a project below a folder": ('patch("src.shop.client.requests.get")', GET),
    "in an app of one module": ('patch("app.requests.get")', ROOT),
    "the library in the module": ('patch("shop.client.requests")', GET),
    "the library under another name": ('patch("shop.client.rq")', RENAMED),
    "a function imported by name": ('patch("shop.client.get")', FROM_IMPORT),
    "what the function uses inside": ('patch("requests.api.request")', GET),
    "its adapter": ('patch("requests.adapters.HTTPAdapter.send")', GET),
    "a class, for its methods": ('patch("requests.Session")', SESSION),
    "another method of the class": ('patch("requests.Session.request")', SESSION),
    "a class in the module": ('patch("shop.client.requests.Session")', SESSION),
    "a class, for its making": ('patch("shop.client.requests.Session")', MADE),
    "a method, for the making": ('patch("requests.Session.get")', MADE),
    "what holds the object": ('patch("shop.client.Client.session")', SESSION),
    "a factory of the library": ('patch("redis.from_url")', REDIS),
    "a global of the module": ('patch("shop.client.redis_client")', REDIS),
    "what perhaps makes the object": ('patch("shop.client.connect")', REDIS),
    "what is called in the chain": ('patch("shop.client.get_redis")', CHAINED),
    "an attribute of a shared object": ('patch("shop.models.db.session")', COMMIT),
    "the object as imported": ('patch.object(db, "session")', COMMIT),
    "its method": ('patch.object(db.session, "commit")', COMMIT),
    "a built-in": ('patch("builtins.open")', OPEN),
    "a built-in in the module": ('patch("shop.client.open", create=True)', OPEN),
    "what the same module calls": ('patch("subprocess.Popen")', RUN),
    "a decorator": ('@patch("shop.client.requests.get")\ndef test(get): ...', GET),
    "a with-block": ('with mock.patch("requests.get") as get:\n    pass', GET),
    "mocker": ('mocker.patch("shop.client.requests.get")', GET),
    "mocker of an object": ('mocker.patch.object(client.requests, "get")', GET),
    "a spy": ('mocker.spy(client.requests, "get")', GET),
    "a keyword": ('patch(target="requests.get")', GET),
    "an object of a fixture": ('patch.object(service, "get")', REDIS),
    "an object of a fixture, by its class": ('patch.object(service, "requests")', GET),
    "monkeypatch, one text": ('monkeypatch.setattr("requests.get", fake)', GET),
    "monkeypatch, an object": ('monkeypatch.setattr(requests, "get", fake)', GET),
    "monkeypatch, a module": ('monkeypatch.setattr(client, "requests", fake)', GET),
    "monkeypatch, deleted": ('monkeypatch.delattr("requests.sessions.Session.request")', GET),
    "under another name": ('with m.context() as mp:\n    mp.setattr(requests, "get", 1)', GET),
    "setattr by hand": ('setattr(client, "requests", fake)', GET),
    "an assignment": ("requests.get = fake", GET),
    "an assignment in a module": ("client.requests = fake", GET),
    "an assignment to what is unknown": ("thing.get = fake", GET),
    "several attributes": ('patch.multiple("shop.client", requests=fake)', GET),
    "several attributes of an object": ("patch.multiple(client, requests=fake)", GET),
    "sys.modules": ('patch.dict(sys.modules, {"requests": fake})', GET),
    "sys.modules as a text": ('patch.dict("sys.modules", {"requests": fake})', GET),
    "sys.modules by monkeypatch": ('monkeypatch.setitem(sys.modules, "requests", fake)', GET),
    "sys.modules by hand": ('sys.modules["requests"] = fake', GET),
    "an f-string of a constant": ('patch(f"{MODULE}.requests.get")', GET),
    "an f-string of a module's name": ('patch(f"{client.__name__}.requests")', GET),
    "an f-string of what is unknown": ('patch(f"{base}.get")', GET),
    "a text glued together": ('patch(MODULE + ".requests.get")', GET),
    "a text filled in": ('patch("%s.requests.get" % path)', GET),
    "a text formatted": ('patch("{}.get".format(path))', GET),
    "its end unknown": ('patch(f"shop.client.{name}")', GET),
    "in a table": (
        '@pytest.mark.parametrize("t", ["shop.client.requests.get"])\ndef t(t): ...',
        GET,
    ),
    "an attribute of an item of sys.modules": (
        'sys.modules["shop.client"].get = fake',
        FROM_IMPORT,
    ),
    "another function of what is not imported": ('patch("unheard_of.post")', UNKNOWN),
    "flexmock": ('flexmock(requests).should_receive("get")', GET),
    "mockito": ("when(requests).get(...).thenReturn(1)", GET),
}

NOT_REACHED = {
    "another function of the library": ('patch("requests.post")', GET),
    "another function in the module": ('patch("shop.client.requests.post")', GET),
    "another function, by way of another module": ('patch("shop.views.requests.post")', GET),
    "the library in another module": ('patch("shop.views.requests")', GET),
    "a helper of the module": ('patch("shop.client.fetch_price")', GET),
    "a method of the module": ('patch("shop.client.Client.fetch")', GET),
    "another attribute of the project": ('patch("shop.client.fetch")', OWN),
    "a helper, for a method of a class": ('patch("shop.views.search")', QUERY),
    "another library": ('patch("httpx.get")', GET),
    "another function of C": ('patch("time.time")', SLEEP),
    "the same name elsewhere": ('patch("shop.views.sleep")', SLEEP),
    "another object's attribute": ('patch.object(Client, "fetch")', SLEEP),
    "another global": ('patch.object(mail, "send")', GET),
    "an item of a dict": ('monkeypatch.setitem(shop.app.config, "TESTING", True)', GET),
    "an environment variable": ('patch.dict("os.environ", {"requests": "1"})', GET),
    "a variable of the environment": ('monkeypatch.setenv("requests", "get")', GET),
    "a request of that method": ('client.patch("/requests.get")', GET),
    "a request for a variable URL": ('client.patch(f"/{slug}.requests.get")', GET),
    "a text that is no path": ('print("requests get")', GET),
    "the path of an exception": ('raises("requests.exceptions.Timeout")', GET),
    "the name of a logger": ('caplog.at_level("INFO", logger="shop.client")', GET),
    "an attribute of the test": ("self.requests = fake", GET),
    "an attribute of a mock": ("fake.return_value = 1", GET),
    "a comment": ('# patch("requests.get")', GET),
}


@pytest.fixture(autouse=True, scope="module")
def import_libraries() -> None:
    """Import what the app of a scan would have imported."""
    for name in ("redis", "requests", "subprocess"):
        importlib.import_module(name)


def reach(text: str, call: Call) -> bool:
    """Whether a test with this text reaches a call."""
    patches, _ = find_patches(SourceFile(Path("test_shop.py"), "test_shop.py", HEAD + text))
    return any(patch.reaches(call) for patch in patches)


@pytest.mark.parametrize(("text", "call"), REACHED.values(), ids=REACHED)
def test_reached(text: str, call: Call) -> None:
    """What a test replaces is found, however it says so; a doubt counts."""
    assert reach(text, call)


@pytest.mark.parametrize(("text", "call"), NOT_REACHED.values(), ids=NOT_REACHED)
def test_not_reached(text: str, call: Call) -> None:
    """What leads elsewhere leaves a call alone."""
    assert not reach(text, call)


@pytest.mark.parametrize("text", ["mock.patch(target)", "monkeypatch.setattr(target, fake)"])
def test_unknown_target(text: str) -> None:
    """A patch of which nothing is known is said to be there."""
    source = SourceFile(Path("test_shop.py"), "test_shop.py", HEAD + text)
    assert find_patches(source)[1]


@pytest.mark.parametrize("text", ['patch("requests.get")', "client.patch(url)", "x = 1"])
def test_known_targets(text: str) -> None:
    """Other files, and requests by the method PATCH, are not said to hold one."""
    source = SourceFile(Path("test_shop.py"), "test_shop.py", HEAD + text)
    assert not find_patches(source)[1]
