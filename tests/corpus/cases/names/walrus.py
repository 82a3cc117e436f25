"""Assignment expressions."""

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    if (session := requests.Session()) and (url := "http://127.0.0.1:8799/"):
        if (answer := session.get(url)).ok:  # blocks: requests.Session.get
            return answer.text
    return "nothing"
