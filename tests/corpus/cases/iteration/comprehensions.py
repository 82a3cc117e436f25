"""Calls in every kind of comprehension."""

import time

import requests
from flask import Flask

app = Flask(__name__)
URLS = ["http://127.0.0.1:8799/"]


def status(url):
    return requests.head(url).status_code  # blocks: requests.head


@app.get("/")
def index():
    pages = [requests.get(url).text for url in URLS]  # blocks: requests.get
    codes = {url: status(url) for url in URLS}
    kinds = {requests.options(url).reason for url in URLS}  # blocks: requests.options
    waits = sum(time.sleep(0.001) or 1 for _ in URLS if True)  # blocks: time.sleep
    return f"{pages} {codes} {kinds} {waits}"
