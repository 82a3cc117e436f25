"""Clients that a function makes, with and without a return annotation."""

import functools

import redis
import requests
from flask import Flask, g

app = Flask(__name__)


def make_session():
    session = requests.Session()
    session.headers["User-Agent"] = "shop"
    return session


@functools.lru_cache(maxsize=None)
def get_session():
    return make_session()


def get_store() -> redis.Redis:
    if "store" not in g:
        g.store = redis.Redis(port=6399, socket_timeout=1)
    return g.store


@app.get("/")
def index():
    return get_session().get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get


@app.get("/store")
def from_store():
    return str(get_store().get("key"))  # blocks: redis.Redis.get
