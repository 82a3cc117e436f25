"""functools.singledispatch, for functions and methods."""

import functools
import time

import requests
from flask import Flask

app = Flask(__name__)


@functools.singledispatch
def send(value):
    return str(value)


@send.register
def send_text(value: str):
    return requests.post("http://127.0.0.1:8799/", data=value).text  # blocks: requests.post


@send.register(int)
def send_number(value):
    time.sleep(0.01)  # blocks: time.sleep
    return str(value)


@app.get("/<text>")
def index(text):
    return send(text) + send(len(text))
