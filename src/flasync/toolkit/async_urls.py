"""Whether an app's database URLs name async drivers: then SQLAlchemy waits without blocking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask


def are_databases_async(app: flask.Flask | None) -> bool:
    """Return whether Flask-SQLAlchemy has databases in an app, and an async driver for each.

    Reads the app's settings; makes no engine and opens no connection.
    """
    urls = list(_list_urls(app)) if app is not None else []
    return bool(urls) and all(map(_is_async, urls))


def _list_urls(app: flask.Flask) -> Iterator[Any]:
    binds = app.config.get("SQLALCHEMY_BINDS") or {}
    for value in (app.config.get("SQLALCHEMY_DATABASE_URI"), *binds.values()):
        url = value.get("url") if isinstance(value, dict) else value
        if url:
            yield url


def _is_async(url: Any) -> bool:
    # SQLAlchemy is not a dependency of flasync; an app that has set a URL for it has it.
    try:
        from sqlalchemy.engine import make_url  # noqa: PLC0415
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415
    except ImportError:
        return False
    try:
        return bool(make_url(url).get_dialect().is_async)
    except (ArgumentError, NoSuchModuleError):
        return False  # the app cannot connect with it either
