"""A service that answers one at a time. does not overlap: service"""

from http.server import HTTPServer

import flask
import httpx
import upstream

app = flask.Flask(__name__)
client = httpx.AsyncClient(base_url=upstream.serve(HTTPServer), timeout=30)


@app.get("/")
async def index():
    return (await client.get("/")).text  # here
