"""Imports that only a type checker sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    import redis

app = Flask(__name__)


def read(client: redis.Redis) -> str:
    return str(client.get("key"))  # blocks: redis.Redis.get


def connect():
    from redis import Redis

    return Redis(port=6399, socket_timeout=1)


@app.get("/")
def index():
    return read(connect())
