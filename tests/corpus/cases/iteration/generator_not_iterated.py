"""A generator that is made and never asked for anything."""

import time

from flask import Flask

app = Flask(__name__)


def numbers():
    while True:
        time.sleep(1)
        yield 1


@app.get("/")
def index():
    unused = (time.sleep(1) for _ in range(3))
    return type(unused).__name__
