"""A lock held across a pause, in threads. does not overlap: lock"""

import threading
import time

import flask

app = flask.Flask(__name__)

lock = threading.Lock()


@app.get("/")
def index():
    with lock:  # here
        time.sleep(0.1)
    return ""
