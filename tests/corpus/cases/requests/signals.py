"""Receivers of signals: of Flask's, and of the project's own."""

import time

import requests
from blinker import Namespace
from flask import Flask, request_started

app = Flask(__name__)
placed = Namespace().signal("placed")
cancelled = Namespace().signal("cancelled")


def note(sender, **extra):
    time.sleep(0.001)  # blocks: time.sleep


request_started.connect(note, app)


@placed.connect
def send_mail(sender, **order):
    requests.post("http://127.0.0.1:8799/", data=order)  # blocks: requests.post


@cancelled.connect
def send_regrets(sender, **order):
    requests.delete("http://127.0.0.1:8799/")


@app.get("/")
def index():
    placed.send(app, title="Emma")
    return "placed"
