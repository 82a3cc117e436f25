"""Names that a star brings."""

from flask import Flask
from tools import *

app = Flask(__name__)


@app.get("/")
def index():
    sleep(0.01)  # blocks: time.sleep
    return fetch()
