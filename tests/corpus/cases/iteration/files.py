"""Opening files in several ways; reading what is open counts either way."""

import io
import pathlib
import shutil

from flask import Flask, current_app

app = Flask(__name__)
HERE = pathlib.Path(__file__)


@app.get("/")
def index():
    with open(HERE) as file:  # blocks: open
        first = file.readline()  # either: io.TextIOWrapper.readline
    with HERE.open() as file:  # blocks: pathlib.Path.open
        second = [line for line in file]  # either: io.TextIOWrapper.__iter__
    with current_app.open_resource("app.py") as file:  # blocks: flask.Flask.open_resource
        third = file.read()  # either: io.BufferedReader.read
    shutil.copy(HERE, HERE.with_suffix(".copy"))  # blocks: shutil.copy
    HERE.with_suffix(".txt").write_text(first)  # blocks: pathlib.Path.write_text
    memory = io.StringIO("in memory")
    return memory.read() + str(len(second) + len(third))
