"""A function that another one was put in the place of, when the program started."""

import types

import requests
from flask import Flask

app = Flask(__name__)
client = types.SimpleNamespace(fetch=lambda url: "", wait=None)
client.fetch = requests.get


class Gateway:
    def send(self, text):
        return requests.post("http://127.0.0.1:8799/", data=text)


def keep(self, text):
    return text


Gateway.send = keep


@app.get("/")
def index():
    client.fetch("http://127.0.0.1:8799/")  # blocks: requests.get
    return Gateway().send("hello")
