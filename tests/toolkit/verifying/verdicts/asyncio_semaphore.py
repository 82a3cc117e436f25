"""A semaphore that lets in three. limited: semaphore 3"""

import asyncio

import flask

app = flask.Flask(__name__)

turnstile = asyncio.Semaphore(3)


@app.get("/")
async def index():
    async with turnstile:  # here
        await asyncio.sleep(0.1)
    return ""
