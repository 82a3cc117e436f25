"""Parameters whose annotations say what they are; nothing else does."""

from typing import Optional

import requests
from flask import Flask

app = Flask(__name__)
registry = {}


def fetch(session: requests.Session, url: str) -> str:
    return session.get(url).text  # blocks: requests.Session.get


def fetch_optional(session: Optional[requests.Session], url: str) -> str:
    if session is None:
        return ""
    return session.get(url).text  # blocks: requests.Session.get


def fetch_quoted(session: "requests.Session | None", url: str) -> str:
    return session.get(url).text if session else ""  # blocks: requests.Session.get


@app.get("/<name>")
def index(name):
    session = registry.setdefault(name, requests.Session())
    fetch_optional(session, "http://127.0.0.1:8799/")
    fetch_quoted(session, "http://127.0.0.1:8799/")
    return fetch(session, "http://127.0.0.1:8799/")
