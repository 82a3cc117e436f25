"""A semaphore of threads that lets in two. limited: semaphore 2"""

import threading
import time

import flask

app = flask.Flask(__name__)

turnstile = threading.Semaphore(2)


@app.get("/")
def index():
    with turnstile:  # here
        time.sleep(0.1)
    return ""
