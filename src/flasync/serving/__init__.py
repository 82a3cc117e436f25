"""Serving an app: `flasync serve` and `app.run()`, on uvicorn, Hypercorn or Granian."""

from __future__ import annotations

from flasync.serving.development import run
from flasync.serving.launch import Launch, launch
from flasync.serving.servers import PREFERENCE, SERVERS

__all__ = ["PREFERENCE", "SERVERS", "Launch", "launch", "run"]
