"""A decorator that is a class, and one that is an instance."""

import functools
import time

import requests
from flask import Flask

app = Flask(__name__)


class Retried:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args, **kwargs):
        try:
            return self.function(*args, **kwargs)
        except requests.RequestException:
            time.sleep(0.01)  # blocks: time.sleep
            return self.function(*args, **kwargs)


class Limit:
    def __init__(self, number):
        self.number = number

    def __call__(self, view):
        @functools.wraps(view)
        def limited(*args, **kwargs):
            time.sleep(0.01 / self.number)  # blocks: time.sleep
            return view(*args, **kwargs)

        return limited


@Retried
def load():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


@app.get("/")
@Limit(3)
def index():
    return load()
