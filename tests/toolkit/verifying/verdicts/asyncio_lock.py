"""A lock held across an await. does not overlap: lock"""

import asyncio

import flask

app = flask.Flask(__name__)

lock = asyncio.Lock()


@app.get("/")
async def index():
    async with lock:  # here
        await asyncio.sleep(0.1)
    return ""
