"""A client kept in an attribute that the constructor sets."""

import requests
from flask import Flask

app = Flask(__name__)


class Supplier:
    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def stock(self):
        return self.session.get(self.url).text  # blocks: requests.Session.get


supplier = Supplier("http://127.0.0.1:8799/")


@app.get("/")
def index():
    return supplier.stock()


@app.get("/fresh")
def fresh():
    return Supplier("http://127.0.0.1:8799/").session.head("http://127.0.0.1:8799/").reason  # blocks: requests.Session.head
