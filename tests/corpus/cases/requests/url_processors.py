"""Preprocessors of URL values, converters and defaults of URLs."""

import time

import requests
from flask import Flask, g, url_for
from werkzeug.routing import BaseConverter

app = Flask(__name__)


class BookConverter(BaseConverter):
    def to_python(self, value):
        return requests.get("http://127.0.0.1:8799/" + value).text  # blocks: requests.get


app.url_map.converters["book"] = BookConverter


@app.url_value_preprocessor
def take_language(endpoint, values):
    time.sleep(0.001)  # blocks: time.sleep
    g.language = "en"


@app.url_defaults
def add_language(endpoint, values):
    requests.head("http://127.0.0.1:8799/")  # blocks: requests.head


@app.get("/<book:book>")
def show(book):
    return url_for("show", book="Emma") + book
