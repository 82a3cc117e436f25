"""Functions looked up in dictionaries."""

import subprocess
import time

from flask import Flask, request

app = Flask(__name__)


def wait():
    time.sleep(0.01)  # blocks: time.sleep
    return "waited"


def run():
    return str(subprocess.call(["true"]))  # blocks: subprocess.call


def forgotten():
    time.sleep(1)


ACTIONS = {"wait": wait, "run": run}
OTHERS = {"forgotten": forgotten}


@app.get("/")
def index():
    return ACTIONS[request.args.get("action", "wait")]()


@app.get("/get")
def by_get():
    return ACTIONS.get(request.args.get("action"), lambda: "nothing")()
