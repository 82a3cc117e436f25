"""What runs when a request ends."""

import time

import requests
from flask import Flask, after_this_request

app = Flask(__name__)


@app.teardown_request
def close(error):
    time.sleep(0.001)  # blocks: time.sleep


@app.teardown_appcontext
def forget(error):
    requests.delete("http://127.0.0.1:8799/")  # blocks: requests.delete


@app.get("/")
def index():
    @after_this_request
    def remember(response):
        requests.put("http://127.0.0.1:8799/")  # blocks: requests.put
        return response

    return "hello"
