"""Static methods and class methods, called on the class, an instance and a subclass."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Api:
    url = "http://127.0.0.1:8799/"

    @staticmethod
    def wait():
        time.sleep(0.01)  # blocks: time.sleep

    @classmethod
    def load(cls):
        cls.wait()
        return cls.fetch(cls.url)

    @classmethod
    def fetch(cls, url):
        return ""


class Real(Api):
    @classmethod
    def fetch(cls, url):
        return requests.get(url).text  # blocks: requests.get


@app.get("/")
def index():
    Api().wait()
    return Real.load()
