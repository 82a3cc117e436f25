"""Relative SQLite paths of Flask-SQLAlchemy, with an async driver."""

import os
from pathlib import Path

import flask
import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

import flasync

pytestmark = pytest.mark.usefixtures("background_loop")


def build_shop(instance: Path, url: str) -> tuple[flask.Flask, SQLAlchemy]:
    """An app with a database below its instance folder."""
    app = flasync.Flask("shop", instance_path=str(instance))
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    return app, SQLAlchemy(app)


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"])
def test_relative_path(tmp_path: Path, driver: str) -> None:
    """The file is in the instance folder, which is made, whichever driver the URL names."""
    instance = tmp_path / "instance"
    app, db = build_shop(instance, f"{driver}:///shop.db")
    with app.app_context():
        assert db.engine.url.drivername == driver
        assert db.engine.url.database == str(instance / "shop.db")
        db.session.execute(text("create table books (id integer)"))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    assert (instance / "shop.db").stat().st_size


def test_absolute_path(tmp_path: Path) -> None:
    """An absolute path stays, and no folder is made."""
    app, db = build_shop(tmp_path / "instance", f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    with app.app_context():
        assert db.engine.url.database == f"{tmp_path}/shop.db"
        db.engine.dispose()
    assert not (tmp_path / "instance").exists()


def test_driver_level_uri(tmp_path: Path) -> None:
    """A URI of SQLite's own gets the folder into its path."""
    app, db = build_shop(tmp_path, "sqlite+aiosqlite:///file:shop.db?uri=true")
    with app.app_context():
        assert db.engine.url.database == f"file:{os.path.join(tmp_path, 'shop.db')}"
        db.engine.dispose()


def test_in_memory(tmp_path: Path) -> None:
    """A database in memory keeps its one connection, so that its tables stay."""
    app, db = build_shop(tmp_path, "sqlite+aiosqlite://")
    with app.app_context():
        db.session.execute(text("create table books (id integer)"))
        db.session.commit()
        db.session.remove()
        assert db.session.execute(text("select count(*) from books")).scalar() == 0
        db.session.remove()
        db.engine.dispose()
