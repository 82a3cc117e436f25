"""Attribute paths through modules and packages."""

import concurrent.futures
import os
import urllib.request

from flask import Flask

app = Flask(__name__)
pool = concurrent.futures.ThreadPoolExecutor(1)


@app.get("/")
def index():
    os.path.join("a", "b")
    os.system("true")  # blocks: os.system
    future = pool.submit(max, 1, 2)
    future.result()  # blocks: concurrent.futures.Future.result
    return urllib.request.urlopen("http://127.0.0.1:8799/").read()  # blocks: urllib.request.urlopen
