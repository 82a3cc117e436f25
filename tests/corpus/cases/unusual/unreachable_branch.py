"""Code behind a constant that is false, and after a return."""

import time

from flask import Flask

app = Flask(__name__)
DEBUG = False


@app.get("/")
def index():
    if False:
        time.sleep(1)
    return "done"
    time.sleep(1)
