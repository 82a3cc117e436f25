"""Blocking calls in functions that no route runs."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def never_called():
    time.sleep(10)
    return requests.get("http://127.0.0.1:8799/")


def called_by_the_unreached():
    return never_called()


class Unused:
    def run(self):
        time.sleep(1)


def make_unused():
    def inner():
        time.sleep(1)

    return "nothing"


@app.get("/")
def index():
    return make_unused()


if __name__ == "__main__":
    time.sleep(1)
    app.run()
