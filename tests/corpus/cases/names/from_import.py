"""Functions imported by name, one of them renamed."""

from time import monotonic, sleep
from urllib.request import urlopen as fetch

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    started = monotonic()
    sleep(0.01)  # blocks: time.sleep
    body = fetch("http://127.0.0.1:8799/")  # blocks: urllib.request.urlopen
    return {"status": body.status, "seconds": monotonic() - started}
