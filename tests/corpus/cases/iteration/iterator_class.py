"""Classes with __iter__ and __next__."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Feed:
    def __init__(self, number):
        self.number = number

    def __iter__(self):
        return self

    def __next__(self):
        if not self.number:
            raise StopIteration
        self.number -= 1
        return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


class Shelf:
    def __iter__(self):
        for title in ("Emma", "Persuasion"):
            time.sleep(0.001)  # blocks: time.sleep
            yield title


@app.get("/")
def index():
    return "".join(Feed(2)) + "".join(title for title in Shelf())
