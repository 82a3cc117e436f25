"""getattr with a constant name."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Shop:
    def open(self):
        time.sleep(0.01)  # blocks: time.sleep
        return "open"

    def close(self):
        time.sleep(1)


@app.get("/")
def index():
    getattr(Shop(), "open")()
    fetch = getattr(requests, "get")
    return fetch("http://127.0.0.1:8799/").text  # blocks: requests.get
