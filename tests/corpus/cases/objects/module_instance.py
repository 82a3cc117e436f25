"""Clients made when the module is imported."""

import redis
import requests
from flask import Flask

app = Flask(__name__)
session = requests.Session()
store = redis.Redis(port=6399, socket_timeout=1)


@app.get("/")
def index():
    return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get


@app.get("/counter")
def counter():
    return str(store.incr("visits"))  # blocks: redis.Redis.incr
