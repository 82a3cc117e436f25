"""A slow service that answers all at once. overlaps"""

import flask
import httpx
import upstream

app = flask.Flask(__name__)
client = httpx.AsyncClient(base_url=upstream.serve(seconds=0.5), timeout=30)


@app.get("/")
async def index():
    return (await client.get("/")).text
