"""A resource of Flask-RESTful with decorators of its own."""

import functools
import time

import requests
from flask import Flask
from flask_restful import Api, Resource

app = Flask(__name__)
api = Api(app)


def checked(method):
    @functools.wraps(method)
    def wrapper(*args, **kwargs):
        time.sleep(0.01)  # blocks: time.sleep
        return method(*args, **kwargs)

    return wrapper


class Todo(Resource):
    method_decorators = [checked]

    def get(self):
        return {"text": requests.get("http://127.0.0.1:8799/").text}  # blocks: requests.get


api.add_resource(Todo, "/todo")
