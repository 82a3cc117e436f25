"""A password hash on the event loop. nothing to gain: cpu"""

import hashlib

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    return hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 150_000).hex()  # here
