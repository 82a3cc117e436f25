"""An async view with blocking calls, direct and through helpers."""

import asyncio
import time

import requests
from flask import Flask

app = Flask(__name__)


def helper():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


async def async_helper():
    with open(__file__) as file:  # blocks: open
        text = file.read()  # either: io.TextIOWrapper.read
    await asyncio.sleep(0)
    return text


@app.get("/")
async def index():
    time.sleep(0.01)  # blocks: time.sleep
    return helper() + await async_helper()
