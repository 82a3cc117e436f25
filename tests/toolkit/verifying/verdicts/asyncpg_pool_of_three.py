"""A pool of three connections. limited: pool 3"""

import asyncpg
import flask
import upstream

import flasync

app = flasync.Flask(__name__)


@app.while_serving
async def connect():
    async with asyncpg.create_pool(upstream.POSTGRES, min_size=3, max_size=3) as pool:
        app.extensions["pool"] = pool
        yield


@app.get("/")
async def index():
    async with flask.current_app.extensions["pool"].acquire() as connection:  # here
        await connection.execute("SELECT pg_sleep(0.1)")
    return ""
