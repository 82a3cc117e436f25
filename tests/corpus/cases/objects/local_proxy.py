"""A werkzeug LocalProxy in front of a client."""

import requests
from flask import Flask, g
from werkzeug.local import LocalProxy

app = Flask(__name__)


def find_session():
    if "session" not in g:
        g.session = requests.Session()
    return g.session


session = LocalProxy(find_session)


@app.get("/")
def index():
    return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get
