"""Functions behind the caches of functools."""

import functools

import requests
from flask import Flask

app = Flask(__name__)


@functools.cache
def load(path):
    return requests.get("http://127.0.0.1:8799" + path).text  # blocks: requests.get


class Page:
    @functools.cached_property
    def text(self):
        return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


@app.get("/")
def index():
    return load("/") + Page().text
