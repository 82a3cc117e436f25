"""A View with dispatch_request, and one that is made once."""

import requests
from flask import Flask
from flask.views import View

app = Flask(__name__)


class Page(View):
    init_every_request = False

    def __init__(self):
        self.session = requests.Session()

    def dispatch_request(self):
        return self.render(self.session.get("http://127.0.0.1:8799/").text)  # blocks: requests.Session.get

    def render(self, text):
        raise NotImplementedError


class Plain(Page):
    def render(self, text):
        return text


app.add_url_rule("/", view_func=Plain.as_view("plain"))
