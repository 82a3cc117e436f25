"""Clients kept as class attributes, reached from the class and from instances."""

import threading

import requests
from flask import Flask

app = Flask(__name__)


class Api:
    session = requests.Session()
    lock = threading.Lock()

    @classmethod
    def load(cls):
        return cls.session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get

    def guarded(self):
        with self.lock:  # blocks: threading.Lock.__enter__
            return Api.load()


@app.get("/")
def index():
    return Api().guarded()
