"""The packages that the toolkit needs and the runtime does not."""

from __future__ import annotations

import importlib.util

from flasync.errors import MissingExtraError


def require_packages(names: tuple[str, ...], purpose: str) -> None:
    """Check, before a module that imports them is imported, that packages are installed.

    Args:
        names: Import names.
        purpose: What needs them, for the message, such as "flasync verify".

    Raises:
        MissingExtraError: One is not installed.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(f"{purpose} needs {name}: pip install 'flasync[toolkit]'")
