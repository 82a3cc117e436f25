"""Properties, their setters, and other descriptors."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Remote:
    def __init__(self, path):
        self.path = path

    def __get__(self, instance, owner):
        return requests.get("http://127.0.0.1:8799/" + self.path).text  # blocks: requests.get


class Book:
    summary = Remote("summary")
    _price = 0

    @property
    def rating(self):
        time.sleep(0.01)  # blocks: time.sleep
        return 5

    @property
    def unused(self):
        time.sleep(1)

    @property
    def price(self):
        return self._price

    @price.setter
    def price(self, value):
        requests.put("http://127.0.0.1:8799/", data=str(value))  # blocks: requests.put
        self._price = value


@app.get("/")
def index():
    book = Book()
    book.price = 12
    return f"{book.rating} {book.price} {book.summary}"
