"""The project's own modules and functions that are called like blocking ones."""

from flask import Flask
from shop import requests
from shop.time import sleep

app = Flask(__name__)


@app.get("/")
def index():
    sleep(3)
    return str(requests.get("a book"))
