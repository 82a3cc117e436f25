"""The errors of a database connection as PEP 249 has them, where an async driver differs."""

from __future__ import annotations

import sys
from collections.abc import Collection

NAMES = frozenset(
    "Warning Error InterfaceError DatabaseError DataError OperationalError IntegrityError "
    "InternalError ProgrammingError NotSupportedError".split()
)
"""What a connection may have as attributes, such as `db.IntegrityError`."""

# How aiosqlite says, by a ValueError, that a connection is closed.
_CLOSED = frozenset({"no active connection", "Connection closed"})


def find_error(libraries: Collection[str], name: str) -> type[Exception] | None:
    """Return an error of a driver by its name in PEP 249, or None when it has none.

    Args:
        libraries: The top-level packages that the connection's class comes from.
        name: One of `NAMES`.
    """
    for library in sorted(libraries):
        error = getattr(sys.modules.get(library), name, None)
        if isinstance(error, type) and issubclass(error, Exception):
            return error
    return None


def name_closed(error: ValueError, libraries: Collection[str]) -> Exception | None:
    """Return what a sync driver would have raised, if an error says that a connection is closed.

    Args:
        error: What the async driver raised.
        libraries: As in `find_error`.
    """
    if str(error) not in _CLOSED:
        return None
    kind = find_error(libraries, "ProgrammingError")
    return kind("Cannot operate on a closed database.") if kind is not None else None
