"""The driver in a suite's database URLs, replaced as its application's author would do it."""

from __future__ import annotations

import functools
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import make_url


def install_driver(driver: str) -> None:
    """Give Flask-SQLAlchemy this driver in each URL of the same kind of database.

    It has no public place where every URL comes by. This is the first private one: what it derives
    from a URL it derives from the new one, as if that stood in the application's configuration.
    """
    stock = SQLAlchemy._apply_driver_defaults

    @functools.wraps(stock)
    def apply_driver_defaults(db: SQLAlchemy, options: dict[str, Any], app: Any) -> None:
        url = make_url(options["url"])
        if url.get_backend_name() == driver.partition("+")[0]:
            options["url"] = url.set(drivername=driver)
        stock(db, options, app)

    SQLAlchemy._apply_driver_defaults = apply_driver_defaults
