"""Values are shown short, without secrets, and without running the app's code."""

import datetime
import enum
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import Any

import pytest
from werkzeug.local import LocalProxy

from flasync.toolkit.tracing.shown_values import MASK, is_secret, show_value, show_variable


class Colour(enum.Enum):
    """A colour."""

    RED = 1


class Book:
    """An object whose `repr` asks a database."""

    def __init__(self) -> None:
        self.title = "Dune"
        self.password_hash = "x"
        self._state = 1

    def __repr__(self) -> str:
        raise AssertionError("code of the app has run")


class Slotted:
    """An object without a `__dict__`."""

    __slots__ = ("value",)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "'a'"),
        (12, "12"),
        (None, "None"),
        ([1, "b"], "[1, 'b']"),
        ((1,), "(1,)"),
        (set(), "{}"),
        ({"a": {"b": [1]}}, "{'a': {'b': [1]}}"),
        (OrderedDict(a=1), "{'a': 1}"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, … 100 in all]"),
        ("x" * 1000, f"'{'x' * 60}'… 1,000 characters"),
        (datetime.date(2024, 1, 2), "datetime.date(2024, 1, 2)"),
        (PurePosixPath("/a"), "PurePosixPath('/a')"),
        (Colour.RED, "Colour.RED"),
        (Book, "<Book>"),
        (Slotted(), "<Slotted>"),
        (b"x" * 1000, f"b'{'x' * 97}…"),
    ],
)
def test_values(value: Any, shown: str) -> None:
    """Python's own types are written out, and cut where they are long."""
    assert show_value(value) == shown


def test_an_object_is_not_asked() -> None:
    """Of an object of the app the attributes at hand are shown, and its `repr` is not run."""
    assert show_value(Book()) == f"Book(password_hash={MASK}, title='Dune')"
    assert show_value([[[[Book()]]]]) == "[[[[…]]]]"
    assert show_value({"book": [Book()]}) == "{'book': [<Book>]}"


def test_a_proxy_is_not_asked() -> None:
    """Flask's `request` and its like are not followed to what they stand for."""
    assert show_variable("user", LocalProxy(lambda: 1 / 0)) == "<LocalProxy>"
    assert show_variable("token", LocalProxy(lambda: 1 / 0)) == MASK


def test_deep_and_circular_values_end() -> None:
    """A container that holds itself is shown to a depth."""
    loop: list[Any] = []
    loop.append(loop)
    assert show_value(loop) == "[[[[…]]]]"


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "apiKey", "X-Auth-Token", "csrf_token", "Authorization", "Cookie",
     "client_secret", "key", "APIKey", "set-cookie"],
)  # fmt: skip
def test_secrets_are_masked(name: str) -> None:
    """What is named like a secret is masked: as a variable, and as a key of a dict."""
    assert is_secret(name)
    assert show_variable(name, "hunter2") == MASK
    assert "hunter2" not in show_value({name: "hunter2", "deep": [{name: ["hunter2"]}]})


@pytest.mark.parametrize("name", ["monkey", "keyboard", "tokenize", "passage", "secretary", "n"])
def test_other_names_are_not(name: str) -> None:
    """A word that merely contains one is no secret."""
    assert show_variable(name, "plain") == "'plain'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://shop:hunter2@db/shop", "postgresql://shop:***@db/shop"),
        ("host=db password=hunter2 dbname=shop", "host=db password=*** dbname=shop"),
        ("/books?api_key=hunter2&page=2", "/books?api_key=***&page=2"),
        ("Bearer hunter2", "Bearer ***"),
        ("http://localhost:5001/a@b", "http://localhost:5001/a@b"),
        ("the keys=2", "the keys=2"),
    ],
)
def test_secrets_in_a_text_are_masked(text: str, shown: str) -> None:
    """The secrets of addresses, queries and headers are masked wherever they stand."""
    assert show_variable("text", text) == repr(shown)
    assert show_value([("header", text)]) == f"[('header', {shown!r})]"


def test_a_secret_that_is_not_set_says_so() -> None:
    """None, True and False are no secrets, and tell what is wrong."""
    assert show_variable("token", None) == "None"
    assert show_variable("has_password", False) == "False"
