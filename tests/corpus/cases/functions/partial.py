"""functools.partial, of a library's function, of the project's, and as a view."""

import functools
import time

import requests
from flask import Flask

app = Flask(__name__)
get_page = functools.partial(requests.get, timeout=5)


def wait(unit, number):
    time.sleep(unit * number)  # blocks: time.sleep


def show(text):
    functools.partial(wait, 0.001)(3)
    return text + get_page("http://127.0.0.1:8799/").text  # blocks: requests.get


app.add_url_rule("/", "index", functools.partial(show, "hello"))
