"""`flasync.errors`: one tree, one code a class, one section of the docs a code."""

import inspect
import re
from pathlib import Path

import pytest
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestTimeout

from flasync import errors
from flasync.errors import FlasyncError

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and value.__module__ == errors.__name__
]
WITH_CODES = [cls for cls in CLASSES if "error_code" in vars(cls) and cls is not FlasyncError]
DOCS = Path(__file__).parent.parent / "docs" / "errors.md"


def test_one_root() -> None:
    """Whatever flasync raises on purpose can be caught by one class."""
    assert all(issubclass(cls, FlasyncError) for cls in CLASSES)


def test_one_code_each() -> None:
    """No two classes share a code, and every class that can be raised has one of its own."""
    codes = [cls.error_code for cls in WITH_CODES]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"FSE\d{3}", code) for code in codes)
    leaves = [cls for cls in CLASSES if not any(other.__base__ is cls for other in CLASSES)]
    assert set(leaves) <= set(WITH_CODES)


def test_the_tree_in_the_docstring() -> None:
    """The tree that is drawn is the tree that is there."""
    assert errors.__doc__ is not None
    for cls in CLASSES:
        assert re.search(rf"\b{cls.__name__}\b", errors.__doc__), cls
    for cls in WITH_CODES:
        assert re.search(rf"{cls.__name__} +{cls.error_code} ", errors.__doc__), cls


@pytest.mark.parametrize("cls", WITH_CODES, ids=lambda cls: cls.__name__)
def test_a_section_each(cls: type[FlasyncError]) -> None:
    """The docs explain every code."""
    assert cls.error_code in DOCS.read_text()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_message_ends_with_the_code(cls: type[FlasyncError]) -> None:
    """A line in a log has the code to look up."""
    assert str(cls("What happened.")) == f"What happened. [{cls.error_code}]"


def test_wire_errors_are_http_errors() -> None:
    """A body that breaks off is a 400 to Flask, one that falls silent a 408."""
    assert issubclass(errors.BodyDisconnected, ClientDisconnected)
    assert issubclass(errors.BodyTimeout, RequestTimeout)
    assert (errors.BodyDisconnected.code, errors.BodyTimeout.code) == (400, 408)


@pytest.mark.parametrize("cls", [errors.BodyDisconnected, errors.BodyTimeout])
def test_http_errors_are_responses(cls: type[HTTPException]) -> None:
    """Such an error makes a response, with its sentence as the description."""
    error = cls("The client left.")
    assert error.description == "The client left."
    assert error.get_response().status_code == cls.code


def test_builtin_bases() -> None:
    """Code that knows only built-in exceptions catches what they stand for."""
    assert issubclass(errors.ClientGone, ConnectionError)
    assert issubclass(errors.SettingError, ValueError)
