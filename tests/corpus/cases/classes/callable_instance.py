"""Instances that are called, one of them as a view."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Wait:
    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self):
        time.sleep(self.seconds)  # blocks: time.sleep


class Page:
    __name__ = "page"

    def __init__(self):
        self.wait = Wait(0.01)

    def __call__(self):
        self.wait()
        return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


app.add_url_rule("/", "page", Page())
