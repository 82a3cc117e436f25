"""Handlers of errors."""

import requests
import time
from flask import Flask, abort

app = Flask(__name__)


class Refused(Exception):
    pass


@app.errorhandler(404)
def missing(error):
    requests.post("http://127.0.0.1:8799/missing")  # blocks: requests.post
    return "missing", 404


@app.errorhandler(Refused)
def refused(error):
    return tell(error)


def tell(error):
    time.sleep(0.001)  # blocks: time.sleep
    return str(error), 403


@app.get("/")
def index():
    raise Refused("no")


@app.get("/missing")
def lost():
    abort(404)
