"""A module-level name that a setup function fills in."""

import time

from flask import Flask

app = Flask(__name__)
wait = None


def configure():
    global wait
    wait = time.sleep


configure()


@app.get("/")
def index():
    wait(0.01)  # blocks: time.sleep
    return "done"
