"""What a context processor gives is called by a template."""

import requests
import time
from flask import Flask, render_template

app = Flask(__name__)


def unread_messages():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


def never_shown():
    time.sleep(1)


@app.context_processor
def navigation():
    time.sleep(0.001)  # blocks: time.sleep
    return {"unread": unread_messages, "title": "Shop"}


@app.get("/")
def index():
    return render_template("index.html")
