"""The async twins, awaited: nothing blocks."""

import asyncio

import httpx
import redis.asyncio
from flask import Flask

app = Flask(__name__)
client = httpx.AsyncClient()
lock = asyncio.Lock()
store = redis.asyncio.Redis(port=6399, socket_timeout=1)


async def wait():
    async with lock:
        await asyncio.sleep(0.001)


@app.get("/")
async def index():
    await wait()
    async with httpx.AsyncClient() as fresh:
        answer = await fresh.get("http://127.0.0.1:8799/")
    return answer.text


@app.get("/store")
async def from_store():
    return str(await store.get("key"))


@app.get("/client")
async def from_client():
    pages = await asyncio.gather(client.get("http://127.0.0.1:8799/"), asyncio.sleep(0, "slept"))
    return pages[1]
