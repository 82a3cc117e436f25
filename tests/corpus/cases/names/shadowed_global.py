"""A later definition at module level hides an imported name."""

from time import sleep

from flask import Flask

app = Flask(__name__)


def sleep(seconds):
    return f"slept {seconds}"


def open(name):
    return f"opened {name}"


@app.get("/")
def index():
    return sleep(1) + open("book")
