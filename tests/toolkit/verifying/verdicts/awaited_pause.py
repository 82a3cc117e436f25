"""A pause that is awaited. overlaps"""

import asyncio

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    await asyncio.sleep(0.5)
    return ""
