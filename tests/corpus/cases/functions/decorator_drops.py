"""A decorator that gives something else in the place of its function."""

import time

from flask import Flask

app = Flask(__name__)


def disabled(function):
    def nothing(*args, **kwargs):
        return "disabled"

    return nothing


@disabled
def wait():
    time.sleep(1)


@app.get("/")
def index():
    return wait()
