"""A client that the base class's constructor sets, used by a subclass through a property."""

import requests
from flask import Flask

app = Flask(__name__)


class Base:
    def __init__(self, url):
        self._session = requests.Session()
        self.url = url

    @property
    def session(self):
        return self._session


class Books(Base):
    def __init__(self):
        super().__init__("http://127.0.0.1:8799/")

    def load(self):
        return self.session.get(self.url).text  # blocks: requests.Session.get


@app.get("/")
def index():
    return Books().load()
