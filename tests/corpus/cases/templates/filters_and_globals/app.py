"""Filters, tests and globals of templates that block."""

import time

import requests
from flask import Flask, render_template_string

app = Flask(__name__)


@app.template_filter()
def translated(text):
    return requests.get("http://127.0.0.1:8799/" + text).text  # blocks: requests.get


@app.template_test()
def available(title):
    time.sleep(0.001)  # blocks: time.sleep
    return True


@app.template_global()
def news():
    return requests.head("http://127.0.0.1:8799/").reason  # blocks: requests.head


@app.get("/")
def index():
    return render_template_string(
        "{{ title|translated }} {% if title is available %}{{ news() }}{% endif %}", title="Emma"
    )
