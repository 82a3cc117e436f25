"""Functions that are passed on, kept or compared, but never called in a request."""

import atexit
import time

import requests
from flask import Flask

app = Flask(__name__)
kept = []


def slow():
    time.sleep(1)


atexit.register(len, [])


def keep(function):
    kept.append(function)
    return function.__name__


@app.get("/")
def index():
    if keep(slow) == "fast" or requests.get is slow:
        return "never"
    return str(kept[-1] is time.sleep)
