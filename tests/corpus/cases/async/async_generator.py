"""Async generators and async context managers with blocking bodies."""

import contextlib
import time

import requests
from flask import Flask

app = Flask(__name__)


async def pages():
    for number in range(2):
        yield requests.get(f"http://127.0.0.1:8799/{number}").text  # blocks: requests.get


@contextlib.asynccontextmanager
async def lease():
    time.sleep(0.001)  # blocks: time.sleep
    yield "lease"


class Door:
    async def __aenter__(self):
        requests.post("http://127.0.0.1:8799/")  # blocks: requests.post
        return self

    async def __aexit__(self, *error):
        return None


@app.get("/")
async def index():
    async with lease() as name, Door():
        return name + "".join([page async for page in pages()])
