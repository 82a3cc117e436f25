"""Sessions that are kept elsewhere."""

import requests
from flask import Flask, session
from flask.sessions import SecureCookieSession, SessionInterface

app = Flask(__name__)


class Remote(SessionInterface):
    def open_session(self, app, request):
        answer = requests.get("http://127.0.0.1:8799/session")  # blocks: requests.get
        return SecureCookieSession({"text": answer.text})

    def save_session(self, app, session, response):
        requests.put("http://127.0.0.1:8799/session", data=session["text"])  # blocks: requests.put


app.session_interface = Remote()


@app.get("/")
def index():
    return session["text"]
