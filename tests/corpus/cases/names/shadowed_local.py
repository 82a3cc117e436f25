"""Local variables and parameters that hide a blocking module."""

import requests
import time
from flask import Flask

app = Flask(__name__)


class Clock:
    def sleep(self, seconds):
        return seconds


def wait(time):
    return time.sleep(1)


@app.get("/")
def index():
    requests = {"get": "nothing"}
    wait(Clock())
    return requests.get("get")


@app.get("/real")
def real():
    time.sleep(0.01)  # blocks: time.sleep
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get
