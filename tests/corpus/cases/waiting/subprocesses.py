"""Programs that are started and waited for."""

import os
import subprocess

from flask import Flask

app = Flask(__name__)


def run(*command):
    return subprocess.run(command, capture_output=True, check=False).stdout  # blocks: subprocess.run


@app.get("/")
def index():
    run("true")
    os.system("true")  # blocks: os.system
    process = subprocess.Popen(["true"])  # either: subprocess.Popen
    process.wait()  # blocks: subprocess.Popen.wait
    return subprocess.check_output(["echo", "done"])  # blocks: subprocess.check_output
