"""A module that is imported by its name."""

import importlib

from flask import Flask

app = Flask(__name__)
web = importlib.import_module("requests")


@app.get("/")
def index():
    clock = importlib.import_module("time")
    clock.sleep(0.001)  # blocks: time.sleep
    return web.get("http://127.0.0.1:8799/").text  # blocks: requests.get
