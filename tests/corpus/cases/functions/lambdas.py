"""Lambdas: called at once, by name, from a dictionary, as a default; and one that is not called."""

import time

import requests
from flask import Flask

app = Flask(__name__)
wait = lambda seconds: time.sleep(seconds)  # blocks: time.sleep
unused = lambda: requests.get("http://127.0.0.1:8799/")
actions = {"load": lambda: requests.get("http://127.0.0.1:8799/").text}  # blocks: requests.get


@app.get("/")
def index(pause=lambda: time.sleep(0.01)):  # blocks: time.sleep
    wait(0.01)
    pause()
    (lambda: requests.head("http://127.0.0.1:8799/"))()  # blocks: requests.head
    return actions["load"]()
