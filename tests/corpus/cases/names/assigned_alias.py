"""Functions bound to other names at module level and in a view."""

import time

import requests
from flask import Flask

app = Flask(__name__)
pause = time.sleep


@app.get("/")
def index():
    pause(0.01)  # blocks: time.sleep
    fetch = requests.get
    if app.testing:
        fetch = requests.head
    return fetch("http://127.0.0.1:8799/").text  # blocks: requests.get, requests.head
