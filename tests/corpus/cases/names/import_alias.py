"""A module under another name."""

import time as clock

import requests as web
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    clock.sleep(0.01)  # blocks: time.sleep
    return web.get("http://127.0.0.1:8799/").text  # blocks: requests.get
