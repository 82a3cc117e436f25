"""A template that no route renders, and a value that a template does not use."""

import time

from flask import Flask, render_template

app = Flask(__name__)


def slow():
    time.sleep(1)
    return "slow"


def preview():
    return render_template("unused.html", slow=slow)


@app.get("/")
def index():
    return render_template("index.html", slow=slow, title="Shop")
