"""Functions that call themselves and one another."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def follow(url, hops):
    if hops == 0:
        return requests.get(url).text  # blocks: requests.get
    return follow(url, hops - 1)


def even(number):
    return True if number == 0 else odd(number - 1)


def odd(number):
    time.sleep(0.001)  # blocks: time.sleep
    return False if number == 0 else even(number - 1)


@app.get("/")
def index():
    return follow("http://127.0.0.1:8799/", 2) + str(even(3))
