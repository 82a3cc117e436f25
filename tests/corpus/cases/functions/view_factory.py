"""Views that a function makes and registers."""

import time

from flask import Flask

app = Flask(__name__)


def make_view(text, seconds):
    def view():
        if seconds:
            time.sleep(seconds)  # blocks: time.sleep
        return text

    return view


for name in ("first", "second"):
    app.add_url_rule(f"/{name}", name, make_view(name, 0.01))
