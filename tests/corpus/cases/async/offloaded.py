"""Calls that run in another thread while the view awaits."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import flasync
import requests
from flask import Flask

app = Flask(__name__)
pool = ThreadPoolExecutor(1)


def load():
    time.sleep(0.001)
    return requests.get("http://127.0.0.1:8799/").text


@app.get("/to-thread")
async def to_thread():
    return await asyncio.to_thread(load)


@app.get("/executor")
async def executor():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(pool, time.sleep, 0.001)
    return await loop.run_in_executor(None, partial(load))


@app.get("/run-sync")
async def run_sync():
    return await flasync.run_sync(load)


@app.get("/lambda")
async def in_lambda():
    return await asyncio.to_thread(lambda: requests.head("http://127.0.0.1:8799/").reason)
