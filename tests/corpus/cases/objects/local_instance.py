"""Clients made where they are used."""

import pathlib
import sqlite3

import redis
import requests
from flask import Flask

app = Flask(__name__)


@app.get("/redis")
def from_redis():
    r = redis.Redis(port=6399, socket_timeout=1)
    return str(r.get("key"))  # blocks: redis.Redis.get


@app.get("/session")
def from_session():
    session = requests.Session()
    session.headers["Accept"] = "text/plain"
    return session.get("http://127.0.0.1:8799/").text  # blocks: requests.Session.get


@app.get("/sqlite")
def from_sqlite():
    connection = sqlite3.connect(pathlib.Path(__file__).with_name("case.db"))  # blocks: sqlite3.connect
    cursor = connection.execute("SELECT 1")  # blocks: sqlite3.Connection.execute
    return str(cursor.fetchone())  # blocks: sqlite3.Cursor.fetchone
