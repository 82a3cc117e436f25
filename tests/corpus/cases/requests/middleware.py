"""WSGI middleware around the app, and methods of Flask that a subclass overrides."""

import time

import requests
from flask import Flask


class Shop(Flask):
    def make_response(self, rv):
        requests.head("http://127.0.0.1:8799/")  # blocks: requests.head
        return super().make_response(rv)

    def not_of_flask(self):
        time.sleep(1)


class Slow:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start_response):
        time.sleep(0.001)  # blocks: time.sleep
        return self.inner(environ, start_response)


app = Shop(__name__)
app.wsgi_app = Slow(app.wsgi_app)


@app.get("/")
def index():
    return "hello"
