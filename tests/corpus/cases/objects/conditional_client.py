"""One of several clients, chosen by configuration."""

import redis
from flask import Flask

app = Flask(__name__)
app.config["STORE"] = "redis"


class Memory:
    def __init__(self):
        self.values = {}

    def get(self, key):
        return self.values.get(key)


def make_store(kind):
    if kind == "redis":
        return redis.Redis(port=6399, socket_timeout=1)
    return Memory()


store = make_store(app.config["STORE"])
memory = make_store("memory")


@app.get("/")
def index():
    return str(store.get("key"))  # blocks: redis.Redis.get


@app.get("/memory")
def from_memory():
    return str(memory.get("key"))
