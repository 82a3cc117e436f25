"""Clients in lists, dictionaries and loops over them."""

import requests
from flask import Flask

app = Flask(__name__)
mirrors = [requests.Session(), requests.Session()]
by_name = {"first": requests.Session()}


@app.get("/")
def index():
    text = ""
    for mirror in mirrors:
        text += mirror.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get
    for name, mirror in by_name.items():
        text += name + mirror.head("http://127.0.0.1:8799/").reason  # blocks: requests.Session.head
    for number, mirror in enumerate(mirrors):
        text += str(mirror.options(f"http://127.0.0.1:8799/{number}"))  # blocks: requests.Session.options
    return text + mirrors[0].put("http://127.0.0.1:8799/").reason  # blocks: requests.Session.put
