"""A wrapper that passes on whatever it does not have itself."""

import requests
from flask import Flask

app = Flask(__name__)


class Logged:
    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


session = Logged(requests.Session())


@app.get("/")
def index():
    return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get
