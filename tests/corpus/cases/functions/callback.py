"""Functions given to the project's and to the standard library's functions, which call them."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def retry(action, times=2):
    for _ in range(times):
        try:
            return action()
        except OSError:
            time.sleep(0.01)  # blocks: time.sleep
    return "gave up"


def by_latency(url):
    return requests.head(url).elapsed  # blocks: requests.head


def load():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


@app.get("/")
def index():
    urls = sorted(["http://127.0.0.1:8799/"], key=by_latency)
    pages = list(map(requests.get, urls))  # blocks: requests.get
    return retry(load) + retry(lambda: requests.put(urls[0]).text) + str(pages)  # blocks: requests.put
