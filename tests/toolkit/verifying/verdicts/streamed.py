"""A response in pieces, with pauses between. overlaps"""

import asyncio

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    async def pieces():
        for _ in range(4):
            await asyncio.sleep(0.15)
            yield "piece"

    return pieces()
