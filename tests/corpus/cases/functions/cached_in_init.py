"""A method cached when the object is made: what it caches runs."""

import functools

import requests
from flask import Flask

app = Flask(__name__)


class Rates:
    def __init__(self):
        self.get = functools.lru_cache(maxsize=16)(self._get)
        self.first = functools.cache(self._first)

    def _get(self, name):
        return requests.get("http://127.0.0.1:8799/" + name).text  # blocks: requests.get

    def _first(self):
        return requests.head("http://127.0.0.1:8799/").headers["Server"]  # blocks: requests.head


@app.get("/")
def index():
    rates = Rates()
    return rates.get("a") + rates.first()


@app.after_request
def sign(response):
    response.set_cookie("seen", "1")
    response.headers["X-Rates"] = "1"
    return response
