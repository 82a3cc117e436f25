"""httpx, sync and async, under one name each."""

import httpx
from flask import Flask

app = Flask(__name__)


@app.get("/")
async def index():
    with httpx.Client() as client:
        client.get("http://127.0.0.1:8799/")  # blocks: httpx.Client.get
    return httpx.get("http://127.0.0.1:8799/").text  # blocks: httpx.get


@app.get("/async")
async def asynchronous():
    async with httpx.AsyncClient() as client:
        return (await client.get("http://127.0.0.1:8799/")).text
