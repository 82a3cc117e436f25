"""flasync takes the Flask app that you already have to asyncio, without rewriting it."""

from __future__ import annotations

from flasync.app import Flask
from flasync.asgi import ASGI
from flasync.bridge import await_
from flasync.bridged import bridged
from flasync.importing import when_imported
from flasync.lanes import in_thread, on_loop
from flasync.threads import run_sync

__all__ = ["ASGI", "Flask", "await_", "bridged", "in_thread", "on_loop", "run_sync"]


def _install_async_engines() -> None:
    # SQLAlchemy is not a dependency of flasync: this runs when the app has imported it.
    from flasync import async_engines  # noqa: PLC0415

    async_engines.install()


def _install_asgiref_calls() -> None:
    # Nor is asgiref; Flask's `async` extra brings it.
    from flasync import asgiref_calls  # noqa: PLC0415

    asgiref_calls.install()


when_imported("sqlalchemy", _install_async_engines)
when_imported("asgiref", _install_asgiref_calls)
