"""The methods of a MethodView, its decorators and what it inherits."""

import functools
import time

import requests
from flask import Flask
from flask.views import MethodView

app = Flask(__name__)


def logged(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        time.sleep(0.01)  # blocks: time.sleep
        return view(*args, **kwargs)

    return wrapper


class Resource(MethodView):
    decorators = [logged]

    def __init__(self, url):
        self.url = url

    def get(self):
        return self.load()

    def load(self):
        return ""


class Books(Resource):
    def load(self):
        return requests.get(self.url).text  # blocks: requests.get

    def post(self):
        return requests.post(self.url).text  # blocks: requests.post

    def helper(self):
        return requests.put(self.url)


app.add_url_rule("/books", view_func=Books.as_view("books", "http://127.0.0.1:8799/"))
