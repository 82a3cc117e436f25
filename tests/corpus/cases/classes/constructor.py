"""Constructors that block, and __new__."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Order:
    def __init__(self, title):
        self.answer = requests.post("http://127.0.0.1:8799/", data=title)  # blocks: requests.post


class Single:
    def __new__(cls):
        time.sleep(0.01)  # blocks: time.sleep
        return super().__new__(cls)


class Late:
    def __init__(self):
        time.sleep(1)


@app.get("/")
def index():
    kinds = {"late": Late}
    return Order("Emma").answer.text + type(Single()).__name__ + str(len(kinds))
