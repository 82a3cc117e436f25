"""Chains that end in a blocking call."""

import pathlib

import requests
from flask import Flask

app = Flask(__name__)
folder = pathlib.Path(__file__).parent


class Builder:
    def __init__(self):
        self.url = ""

    def to(self, url):
        self.url = url
        return self

    def send(self):
        return requests.get(self.url)  # blocks: requests.get


@app.get("/")
def index():
    text = (folder / "app.py").resolve().read_text()  # blocks: pathlib.Path.read_text
    return Builder().to("http://127.0.0.1:8799/").send().text + text
