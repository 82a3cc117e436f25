"""A sync HTTP client in an async view. does not overlap: loop"""

import flask
import requests
import upstream

app = flask.Flask(__name__)
URL = upstream.serve()


@app.get("/")
async def index():
    return requests.get(URL, timeout=30).text  # here
