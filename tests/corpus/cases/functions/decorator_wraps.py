"""Decorators of the project, with and without functools.wraps."""

import functools
import time

import requests
from flask import Flask

app = Flask(__name__)


def timed(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        time.sleep(0.01)  # blocks: time.sleep
        return view(*args, **kwargs)

    return wrapper


def allow(role):
    def decorate(view):
        def wrapper(*args, **kwargs):
            requests.head("http://127.0.0.1:8799/" + role)  # blocks: requests.head
            return view(*args, **kwargs)

        wrapper.__name__ = view.__name__
        return wrapper

    return decorate


@app.get("/")
@timed
@allow("staff")
def index():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get
