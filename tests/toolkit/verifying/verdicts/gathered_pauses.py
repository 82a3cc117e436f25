"""Two pauses at the same time within a request. overlaps"""

import asyncio

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    await asyncio.gather(asyncio.sleep(0.5), asyncio.sleep(0.1))
    return ""
