"""A loop that computes, on the event loop. nothing to gain: cpu"""

import time

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    end = time.thread_time() + 0.05
    while time.thread_time() < end:
        pass
    return ""
