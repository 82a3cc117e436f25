"""Imports inside a function."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    import subprocess
    from time import sleep

    sleep(0.01)  # blocks: time.sleep
    return str(subprocess.run(["true"], check=True).returncode)  # blocks: subprocess.run
