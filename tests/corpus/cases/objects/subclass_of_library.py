"""The project's own subclass of a library's class."""

import requests
from flask import Flask

app = Flask(__name__)


class Session(requests.Session):
    base = "http://127.0.0.1:8799"

    def load(self, path):
        return self.get(self.base + path)  # blocks: requests.Session.get

    def head(self, path):
        return super().head(self.base + path)  # blocks: requests.Session.head

    def close(self):
        return None


session = Session()


@app.get("/")
def index():
    session.head("/")
    session.close()
    return session.load("/").text
