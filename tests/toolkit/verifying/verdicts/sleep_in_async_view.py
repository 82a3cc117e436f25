"""A pause that blocks the loop. does not overlap: loop"""

import time

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    time.sleep(0.1)  # here
    return ""
