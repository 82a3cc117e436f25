"""Calls of libraries that also block, but not in these functions."""

import os
import pathlib
import queue
import subprocess
import time
import urllib.parse

import redis
import requests
from flask import Flask, jsonify

app = Flask(__name__)
session = requests.Session()
store = redis.Redis(port=6399)
jobs = queue.SimpleQueue()


@app.get("/")
def index():
    session.headers.update({"Accept": "text/plain"})
    prepared = requests.Request("GET", "http://127.0.0.1:8799/").prepare()
    pipe = store.pipeline()
    pipe.get("key")
    jobs.put(1)
    return jsonify(
        url=urllib.parse.quote(prepared.url),
        path=os.path.join("a", "b") + pathlib.Path("a").suffix,
        clock=time.monotonic() > time.time(),
        codes=requests.codes.ok,
        command=subprocess.list2cmdline(["a", "b"]),
    )
