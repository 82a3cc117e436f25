"""flasync takes the Flask app that you already have to asyncio, without rewriting it."""

from __future__ import annotations

from flasync.app import Flask
from flasync.asgi import ASGI
from flasync.bridge import await_
from flasync.lanes import in_thread, on_loop
from flasync.threads import run_sync

__all__ = ["ASGI", "Flask", "await_", "in_thread", "on_loop", "run_sync"]
