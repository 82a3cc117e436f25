"""Calls in the branches of a match statement."""

import subprocess
import time

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index():
    match request.args.get("how", "run"):
        case "sleep":
            time.sleep(0.01)  # blocks: time.sleep
        case "run" | "start":
            subprocess.check_call(["true"])  # blocks: subprocess.check_call
        case str(other) if other:
            return other
    return "done"
