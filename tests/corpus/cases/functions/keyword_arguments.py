"""Functions that come in through *args, **kwargs and defaults."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def run(*steps, after=time.sleep, **named):
    for step in steps:
        step("http://127.0.0.1:8799/")  # blocks: requests.get
    after(0.01)  # blocks: time.sleep
    return named["finish"]("http://127.0.0.1:8799/")  # blocks: requests.head


def run_other(*, after):
    return after(1)


@app.get("/")
def index():
    run_other(after=abs)
    return run(requests.get, finish=requests.head).reason
