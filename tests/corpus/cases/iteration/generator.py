"""Generators: their bodies run where they are iterated over."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def pages():
    for number in range(2):
        yield requests.get(f"http://127.0.0.1:8799/{number}").text  # blocks: requests.get


def slowly(items):
    for item in items:
        time.sleep(0.001)  # blocks: time.sleep
        yield item


def all_pages():
    yield "first"
    yield from slowly(pages())


@app.get("/")
def index():
    return "".join(all_pages())
