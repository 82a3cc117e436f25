"""Calls in every part of a try statement, in loops with else, and in assertions."""

import time

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    try:
        text = requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get
    except requests.RequestException:
        text = requests.head("http://127.0.0.1:8799/").reason  # blocks: requests.head
    else:
        requests.put("http://127.0.0.1:8799/")  # blocks: requests.put
    finally:
        time.sleep(0.001)  # blocks: time.sleep
    for _ in ():
        pass
    else:
        time.sleep(0.001)  # blocks: time.sleep
    assert requests.options("http://127.0.0.1:8799/")  # blocks: requests.options
    return text
