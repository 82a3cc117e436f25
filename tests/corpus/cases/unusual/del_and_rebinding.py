"""A name that is bound again between two calls."""

import requests
from flask import Flask

app = Flask(__name__)


class Quiet:
    def get(self, url):
        return url


@app.get("/")
def index():
    client = requests.Session()
    client.get("http://127.0.0.1:8799/")  # blocks: requests.Session.get
    client = Quiet()
    return client.get("http://127.0.0.1:8799/")
