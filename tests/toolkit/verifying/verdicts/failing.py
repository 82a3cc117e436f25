"""A view that fails. requests failed"""

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    raise LookupError
