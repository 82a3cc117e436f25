"""Context managers written as classes, and an ExitStack."""

import contextlib
import time

import requests
from flask import Flask

app = Flask(__name__)


class Lease:
    def __enter__(self):
        time.sleep(0.001)  # blocks: time.sleep
        return requests.Session()

    def __exit__(self, *error):
        requests.delete("http://127.0.0.1:8799/")  # blocks: requests.delete


@app.get("/")
def index():
    with Lease() as session:
        return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get


@app.get("/stack")
def stacked():
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(Lease())
        return session.head("http://127.0.0.1:8799/").reason  # blocks: requests.Session.head
