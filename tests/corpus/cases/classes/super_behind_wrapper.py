"""`super()` in a method whose decorator passes `self` on in `*args`."""

import functools

import requests
from flask import Flask
from flask.views import MethodView

app = Flask(__name__)


def logged(function):
    @functools.wraps(function)
    def handler(*args, **kwargs):
        return function(*args, **kwargs)

    return handler


class Down(MethodView):
    def get(self, name):
        return requests.get("http://127.0.0.1:8799/" + name).text  # blocks: requests.get


class Logged(Down):
    @logged
    def get(self, name):
        return super().get(name)


app.add_url_rule("/<name>", view_func=Logged.as_view("logged"))
