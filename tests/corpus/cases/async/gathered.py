"""Coroutines that are gathered or made into tasks."""

import asyncio
import time

import requests
from flask import Flask

app = Flask(__name__)


async def load(url):
    return requests.get(url).text  # blocks: requests.get


async def pause():
    time.sleep(0.001)  # blocks: time.sleep
    return ""


async def never():
    time.sleep(1)


@app.get("/")
async def index():
    task = asyncio.create_task(pause())
    texts = await asyncio.gather(*(load(url) for url in ["http://127.0.0.1:8799/"]))
    return "".join(texts) + await task
