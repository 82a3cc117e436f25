"""Fields of a named tuple, by name and by unpacking."""

from typing import NamedTuple

import requests
from flask import Flask

app = Flask(__name__)


class Service(NamedTuple):
    session: requests.Session
    url: str


service = Service(requests.Session(), "http://127.0.0.1:8799/")


@app.get("/")
def index():
    session, url = service
    session.head(url)  # blocks: requests.Session.head
    return service.session.get(service.url).text  # blocks: requests.Session.get
