"""Context managers written as generators."""

import contextlib
import time

import requests
from flask import Flask

app = Flask(__name__)


@contextlib.contextmanager
def lease(name):
    requests.post("http://127.0.0.1:8799/" + name)  # blocks: requests.post
    try:
        yield requests.Session()
    finally:
        requests.delete("http://127.0.0.1:8799/" + name)  # blocks: requests.delete


@contextlib.contextmanager
def unused():
    time.sleep(1)
    yield


@app.get("/")
def index():
    with lease("door") as session, contextlib.suppress(OSError):
        return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get
    return "nothing"


@app.get("/decorated")
@lease("window")
def decorated():
    return "hello"
