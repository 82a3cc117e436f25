"""A big document, written and read as JSON. nothing to gain: cpu"""

import json

import flask

app = flask.Flask(__name__)

DOCUMENT = {str(number): list(range(20)) for number in range(4000)}


@app.get("/")
async def index():
    for _ in range(3):
        text = json.dumps(DOCUMENT)
        json.loads(text)
    return str(len(text))
