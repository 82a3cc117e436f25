"""Functions that are kept in the settings of the app."""

import requests
from flask import Flask, current_app

app = Flask(__name__)


def load(path):
    return requests.get("http://127.0.0.1:8799" + path).text  # blocks: requests.get


app.config["LOADER"] = load


@app.get("/")
def index():
    return current_app.config["LOADER"]("/")
