"""Functions made by functions, which keep what they were made with."""

import time

import requests
from flask import Flask

app = Flask(__name__)


def make_fetcher(session):
    def fetch(path):
        return session.get("http://127.0.0.1:8799" + path).text  # blocks: requests.Session.get

    return fetch


def make_pause(seconds):
    return lambda: time.sleep(seconds)  # blocks: time.sleep


fetch = make_fetcher(requests.Session())
pause = make_pause(0.01)


@app.get("/")
def index():
    pause()
    return fetch("/")
