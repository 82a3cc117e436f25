"""Handlers in lists of tuples and in attributes of a function."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def load():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


def wait():
    time.sleep(0.001)  # blocks: time.sleep
    return ""


def unused():
    time.sleep(1)


STEPS = [("load", load), ("wait", wait)]
load.after = wait


@app.get("/")
def index():
    text = "".join(step() for _, step in STEPS)
    load.after()
    return text
