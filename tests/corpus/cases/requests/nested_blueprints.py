"""Hooks of a blueprint that another one is registered on, and factories of apps."""

import time

import requests
from flask import Blueprint, Flask

outer = Blueprint("outer", __name__, url_prefix="/outer")
inner = Blueprint("inner", __name__, url_prefix="/inner")


@outer.before_request
def enter():
    time.sleep(0.001)  # blocks: time.sleep


@inner.get("/")
def index():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


def create_app():
    app = Flask(__name__)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app
