"""Functions behind Flask-Caching's decorators, with a cache in memory."""

import time

import requests
from flask import Flask
from flask_caching import Cache

app = Flask(__name__)
cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})


@cache.memoize(timeout=60)
def load(path):
    return requests.get("http://127.0.0.1:8799" + path).text  # blocks: requests.get


@app.get("/")
@cache.cached(timeout=60)
def index():
    time.sleep(0.01)  # blocks: time.sleep
    return load("/")
