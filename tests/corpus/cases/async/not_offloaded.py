"""Calls that only look as if they ran in a thread: they run before it is asked."""

import asyncio
import time

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
async def index():
    await asyncio.to_thread(print, time.sleep(0.001))  # blocks: time.sleep
    answer = requests.get("http://127.0.0.1:8799/")  # blocks: requests.get
    return await asyncio.to_thread(lambda: answer.text)
