"""A pause in a sync helper of an async view. does not overlap: loop"""

import time

import flask

app = flask.Flask(__name__)


class Shop:
    def pause(self):
        time.sleep(0.1)  # here


@app.get("/")
async def index():
    Shop().pause()
    return ""
