"""A nested function that sets a variable of the one around it."""

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    session = None

    def connect():
        nonlocal session
        session = requests.Session()

    connect()
    return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get
