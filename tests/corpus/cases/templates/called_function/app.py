"""Functions, methods and attributes that a template calls and reads."""

import time

import requests
from flask import Flask, render_template

app = Flask(__name__)


class Book:
    def __init__(self, title):
        self.title = title

    @property
    def rating(self):
        time.sleep(0.001)  # blocks: time.sleep
        return 5

    def reviews(self):
        return requests.get("http://127.0.0.1:8799/").text.split()  # blocks: requests.get

    def unused(self):
        time.sleep(1)


def stock(title):
    return requests.head("http://127.0.0.1:8799/" + title).reason  # blocks: requests.head


@app.get("/")
def index():
    return render_template("book.html", book=Book("Emma"), stock=stock, fetch=requests.options)
