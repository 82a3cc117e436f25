"""A program that is waited for in an async view. does not overlap: loop"""

import subprocess

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    subprocess.run(["sleep", "0.1"], check=True)  # here
    return ""
