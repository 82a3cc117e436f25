"""Two threads for a view that pauses. limited: threads 2"""

import time

import flask

app = flask.Flask(__name__)

app.config["WORKER_THREADS"] = 2


@app.get("/")
def index():
    time.sleep(0.1)
    return ""
