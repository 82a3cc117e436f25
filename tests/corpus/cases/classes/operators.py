"""Special methods that operators, len() and subscription run."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Shelf:
    def __len__(self):
        time.sleep(0.01)  # blocks: time.sleep
        return 3

    def __getitem__(self, key):
        return requests.get(f"http://127.0.0.1:8799/{key}").text  # blocks: requests.get

    def __contains__(self, key):
        return requests.head(f"http://127.0.0.1:8799/{key}").ok  # blocks: requests.head

    def __add__(self, other):
        requests.post("http://127.0.0.1:8799/", data=other)  # blocks: requests.post
        return self

    def __delitem__(self, key):
        requests.delete(f"http://127.0.0.1:8799/{key}")


@app.get("/")
def index():
    shelf = Shelf() + "Emma"
    return shelf["Emma"] if "Emma" in shelf and len(shelf) else ""
