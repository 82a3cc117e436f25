"""A client in flask.g that a hook has put there."""

import requests
from flask import Flask, g

app = Flask(__name__)


@app.before_request
def open_session():
    g.session = requests.Session()


@app.get("/")
def index():
    return g.session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get


@app.teardown_request
def close_session(error):
    g.pop("session", None)
