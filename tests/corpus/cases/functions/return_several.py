"""Clients that come back in tuples and dictionaries."""

import requests
from flask import Flask

app = Flask(__name__)


def connect():
    return requests.Session(), {"url": "http://127.0.0.1:8799/", "get": requests.get}


@app.get("/")
def index():
    session, settings = connect()
    session.head(settings["url"])  # blocks: requests.Session.head
    (first, *rest) = [session, "a", "b"]
    first.options("http://127.0.0.1:8799/")  # blocks: requests.Session.options
    return settings["get"](settings["url"]).text  # blocks: requests.get
