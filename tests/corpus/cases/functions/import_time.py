"""Blocking calls that run when the module is imported, and in no request."""

import pathlib
import time

from flask import Flask

time.sleep(0.01)
VERSION = len(pathlib.Path(__file__).read_text())


def load_settings():
    with open(__file__) as file:
        return file.read()


app = Flask(__name__)
app.config["LENGTH"] = len(load_settings())


@app.get("/")
def index():
    return f"{VERSION} {app.config['LENGTH']}"
