"""Fields of data classes."""

from dataclasses import dataclass, field

import requests
from flask import Flask

app = Flask(__name__)


@dataclass
class Client:
    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def load(self):
        return self.session.get(self.url).text  # blocks: requests.Session.get


@dataclass(frozen=True)
class Book:
    title: str

    def get(self, name):
        return getattr(self, name)


@app.get("/")
def index():
    return Client("http://127.0.0.1:8799/").load() + Book("Emma").get("title")
