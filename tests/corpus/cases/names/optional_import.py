"""A fallback for a library that is not installed."""

from flask import Flask

try:
    import a_faster_requests as http
except ImportError:
    import requests as http

try:
    from time import sleep
except ImportError:
    sleep = None

app = Flask(__name__)


@app.get("/")
def index():
    if sleep is not None:
        sleep(0.01)  # blocks: time.sleep
    return http.get("http://127.0.0.1:8799/").text  # blocks: requests.get
