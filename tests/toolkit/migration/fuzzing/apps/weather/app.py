"""An ordinary Flask app that waits for slow services: one view is async, one is not."""

import asyncio
import time

from flask import Flask, g, request

app = Flask(__name__)


@app.before_request
def start_clock():
    g.started = time.perf_counter()


@app.after_request
def add_duration(response):
    response.headers["X-Duration-Ms"] = f"{(time.perf_counter() - g.started) * 1000:.0f}"
    return response


@app.get("/forecast")
async def forecast():
    city = request.args.get("city", "Vienna")
    temperature, wind = await asyncio.gather(ask_station("temperature"), ask_station("wind"))
    return {"city": city, "temperature": temperature, "wind": wind}


@app.get("/archive")
def archive():
    time.sleep(0.3)  # a driver that blocks, as most do
    return {"days": list(range(7))}


@app.get("/health")
def health():
    return "ok"


async def ask_station(what):
    await asyncio.sleep(0.3)  # a service far away
    return {"temperature": 21, "wind": 3}[what]
