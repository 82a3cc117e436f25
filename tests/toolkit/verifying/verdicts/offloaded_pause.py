"""A pause that an async view hands to a thread. overlaps"""

import time

import flask

from flasync import run_sync

app = flask.Flask(__name__)


@app.get("/")
async def index():
    await run_sync(time.sleep, 0.5)
    return ""
