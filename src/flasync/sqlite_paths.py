"""Flask-SQLAlchemy's relative SQLite paths, with an async driver as without one.

Flask-SQLAlchemy puts the file of `sqlite:///shop.db` into the instance folder, which it makes, and
keeps a database in memory on one connection. It asks for the driver by name, so that the same URL
with `sqlite+aiosqlite` would mean a file in the current directory. `install` has it ask for the
sync driver's name, and puts the async one's back. There is no public seam: a subclass would have to
be the one that the app instantiates.
"""

from __future__ import annotations

import functools
from typing import Any

import flask
import flask_sqlalchemy
from sqlalchemy.engine import make_url

_ASYNC = "sqlite+aiosqlite"
_SYNC = "sqlite"


def install() -> None:
    """Give `sqlite+aiosqlite` what Flask-SQLAlchemy gives `sqlite`, in engines made hereafter."""
    stock = getattr(flask_sqlalchemy.SQLAlchemy, "_apply_driver_defaults", None)
    if stock is None or hasattr(stock, "__wrapped__"):
        return  # another version, which may know async drivers; or it is done

    @functools.wraps(stock)
    def apply_driver_defaults(db: Any, options: dict[str, Any], app: flask.Flask) -> None:
        if make_url(options["url"]).drivername != _ASYNC:
            stock(db, options, app)
            return
        options["url"] = make_url(options["url"]).set(drivername=_SYNC)
        stock(db, options, app)
        options["url"] = options["url"].set(drivername=_ASYNC)

    flask_sqlalchemy.SQLAlchemy._apply_driver_defaults = apply_driver_defaults  # type: ignore[method-assign, assignment]  # a wrapped function
