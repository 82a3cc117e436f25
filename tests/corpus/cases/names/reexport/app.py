"""A function that comes through the front of a package."""

from flask import Flask
from services import wait

import services

app = Flask(__name__)


@app.get("/")
def index():
    wait(0.01)  # blocks: time.sleep
    return services.load()
