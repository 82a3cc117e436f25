"""Functions of operator and functools that call what they are given."""

import functools
import operator

import requests
from flask import Flask

app = Flask(__name__)
session = requests.Session()
fetch = operator.attrgetter("get")


def add(text, url):
    return text + requests.get(url).text  # blocks: requests.get


@app.get("/")
def index():
    fetch(session)("http://127.0.0.1:8799/")  # blocks: requests.Session.get
    return functools.reduce(add, ["http://127.0.0.1:8799/"], "")
