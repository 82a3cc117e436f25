"""A pause in a sync view, which has threads enough. overlaps"""

import time

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    time.sleep(0.5)
    return ""
