"""Redis: a pipeline waits when it is executed, not when it is filled."""

import redis
from flask import Flask

app = Flask(__name__)


def create_store():
    return redis.Redis.from_url("redis://127.0.0.1:6399/0", socket_timeout=1)


store = create_store()


@app.get("/")
def index():
    with store.pipeline() as pipe:
        pipe.incr("a")
        pipe.incr("b")
        return str(pipe.execute())  # blocks: redis.client.Pipeline.execute


@app.get("/lock")
def locked():
    with store.lock("name", timeout=1):  # blocks: redis.lock.Lock.__enter__
        return "locked"
