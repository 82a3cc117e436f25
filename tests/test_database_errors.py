"""The errors of a database connection as PEP 249 has them."""

import sqlite3

import pytest

from flasync.database_errors import NAMES, find_error, name_closed


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_error_is_found(name: str) -> None:
    """Each of PEP 249's errors is found in the module of a driver."""
    assert find_error({"sqlite3"}, name) is getattr(sqlite3, name)


def test_a_library_without_errors() -> None:
    """What has no such error, is no error or is not imported gives none."""
    assert find_error({"json", "not_imported"}, "Error") is None
    assert find_error({"typing"}, "Any") is None


def test_what_says_that_a_connection_is_closed() -> None:
    """An async driver's ValueError about a closed connection is a ProgrammingError of its own."""
    closed = name_closed(ValueError("no active connection"), {"sqlite3"})
    assert type(closed) is sqlite3.ProgrammingError
    assert str(closed) == "Cannot operate on a closed database."


def test_other_values_that_are_wrong() -> None:
    """Any other ValueError stays, and so does one of a library that is no driver."""
    assert name_closed(ValueError("no such column"), {"sqlite3"}) is None
    assert name_closed(ValueError("no active connection"), {"json"}) is None
