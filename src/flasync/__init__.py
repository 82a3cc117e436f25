"""flasync takes the Flask app that you already have to asyncio, without rewriting it."""

from __future__ import annotations

import sys

from flasync.app import Flask
from flasync.asgi import ASGI
from flasync.bridge import await_
from flasync.bridged import bridged
from flasync.importing import when_imported
from flasync.lanes import in_thread, on_loop
from flasync.threads import call_in_thread, run_sync

__all__ = [
    "ASGI",
    "Flask",
    "await_",
    "bridged",
    "call_in_thread",
    "in_thread",
    "on_loop",
    "run_sync",
]


def _install_async_engines() -> None:
    # SQLAlchemy is not a dependency of flasync: this runs when the app has imported it.
    if sys.modules["sqlalchemy"].__version__.startswith(("0.", "1.")):
        return  # its async drivers outside requests came with 2.0
    from flasync import async_engines  # noqa: PLC0415

    async_engines.install()


def _install_asgiref_calls() -> None:
    # Nor is asgiref; Flask's `async` extra brings it.
    from flasync import asgiref_calls  # noqa: PLC0415

    asgiref_calls.install()


def _install_sqlite_paths() -> None:
    # Nor is Flask-SQLAlchemy.
    from flasync import sqlite_paths  # noqa: PLC0415

    sqlite_paths.install()


when_imported("sqlalchemy", _install_async_engines)
when_imported("asgiref", _install_asgiref_calls)
when_imported("flask_sqlalchemy", _install_sqlite_paths)
