"""Bodies that the server iterates over after the view has returned."""

import time

import requests
from flask import Flask, Response, stream_with_context

app = Flask(__name__)


@app.get("/")
def index():
    def lines():
        for number in range(2):
            time.sleep(0.001)  # blocks: time.sleep
            yield f"{number}\n"

    return Response(lines(), mimetype="text/plain")


@app.get("/context")
def with_context():
    def body():
        yield requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get

    return stream_with_context(body())


@app.get("/bare")
def bare():
    return (requests.get(url).text for url in ["http://127.0.0.1:8799/"])  # blocks: requests.get


@app.get("/decorated")
@stream_with_context
def decorated():
    time.sleep(0.001)  # blocks: time.sleep
    yield "done"
