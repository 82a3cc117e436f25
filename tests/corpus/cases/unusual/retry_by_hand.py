"""A retry helper that takes the function and its arguments apart."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def retried(function, *arguments, times=2, **options):
    error = None
    while times:
        times -= 1
        try:
            return function(*arguments, **options)  # blocks: requests.get
        except requests.RequestException as raised:
            error = raised
            time.sleep(0.001)  # blocks: time.sleep
    raise error


@app.get("/")
def index():
    return retried(requests.get, "http://127.0.0.1:8799/", timeout=1).text
