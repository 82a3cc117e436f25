"""Methods of one name on different classes: only those that are called count."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Fast:
    def get(self):
        return "fast"


class Slow:
    def get(self):
        time.sleep(10)
        return requests.get("http://127.0.0.1:8799/").text


class Middle:
    def get(self):
        time.sleep(0.01)  # blocks: time.sleep
        return "middle"


@app.get("/")
def index():
    values = {"get": 1}
    return Fast().get() + Middle().get() + str(values.get("get"))
