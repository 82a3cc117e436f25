"""Inherited methods, super() and cooperative inheritance."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Base:
    def load(self):
        return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get

    def save(self):
        time.sleep(1)

    def log(self):
        return "base"


class Timed:
    def log(self):
        time.sleep(0.01)  # blocks: time.sleep
        return super().log()


class Shop(Timed, Base):
    def load(self):
        return super().load() + self.log()

    def save(self):
        return "saved"


@app.get("/")
def index():
    shop = Shop()
    return shop.load() + shop.save()
