"""Hooks before and after a request, of the app and of blueprints."""

import time

import requests
from flask import Blueprint, Flask

app = Flask(__name__)
shop = Blueprint("shop", __name__)
unregistered = Blueprint("unregistered", __name__)


@app.before_request
def check():
    requests.head("http://127.0.0.1:8799/")  # blocks: requests.head


@shop.before_request
def check_shop():
    time.sleep(0.001)  # blocks: time.sleep


@unregistered.before_request
def check_never():
    time.sleep(1)


@shop.after_request
def note(response):
    requests.post("http://127.0.0.1:8799/")  # blocks: requests.post
    return response


@shop.before_app_request
def check_everywhere():
    requests.options("http://127.0.0.1:8799/")  # blocks: requests.options


@shop.get("/")
def index():
    return "hello"


@unregistered.get("/never")
def never():
    time.sleep(1)


app.register_blueprint(shop)
