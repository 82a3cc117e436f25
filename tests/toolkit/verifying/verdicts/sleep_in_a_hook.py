"""A hook that blocks before an async view. does not overlap: loop"""

import time

import flask

app = flask.Flask(__name__)


@app.before_request
def slow():
    if flask.request.path == "/":
        time.sleep(0.1)  # here


@app.get("/")
async def index():
    return ""
