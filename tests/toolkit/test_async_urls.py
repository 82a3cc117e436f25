"""Telling from an app's settings whether its databases are awaited."""

import flask
import pytest
from sqlalchemy.engine import make_url

from flasync.toolkit.async_urls import are_databases_async

SYNC = "postgresql+psycopg2://shop:secret@localhost/shop"
ASYNC = "postgresql+asyncpg://shop:secret@localhost/shop"


def build_app(**settings: object) -> flask.Flask:
    """An app with these settings."""
    app = flask.Flask("shop")
    app.config.update({f"SQLALCHEMY_{name}": value for name, value in settings.items()})
    return app


@pytest.mark.parametrize(
    "url",
    [
        ASYNC,
        make_url(ASYNC),
        {"url": ASYNC, "pool_size": 5},
        "sqlite+aiosqlite://",
        "mysql+asyncmy://localhost/shop",
        "mysql+aiomysql://localhost/shop",
        "postgresql+psycopg_async://localhost/shop",
    ],
)
def test_async_drivers(url: object) -> None:
    """An async driver is known by SQLAlchemy's own dialect of it, in each form of a URL."""
    assert are_databases_async(build_app(DATABASE_URI=url))
    assert are_databases_async(build_app(BINDS={"archive": url}))


@pytest.mark.parametrize(
    "url", [SYNC, "sqlite://", "postgresql+psycopg://localhost/shop", "nonsense", "x+y://z"]
)
def test_other_drivers(url: str) -> None:
    """Sync drivers, unknown ones and what is no URL are not async."""
    assert not are_databases_async(build_app(DATABASE_URI=url))


def test_one_sync_database_is_enough() -> None:
    """With one sync database among them, calls may block."""
    assert not are_databases_async(build_app(DATABASE_URI=ASYNC, BINDS={"archive": SYNC}))


def test_no_database() -> None:
    """Without an app or a database, nothing is said to be async."""
    assert not are_databases_async(None)
    assert not are_databases_async(build_app())
    assert not are_databases_async(build_app(DATABASE_URI=None, BINDS=None))
