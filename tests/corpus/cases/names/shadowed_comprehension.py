"""Loop variables that hide a module in a comprehension only."""

import time

from flask import Flask

app = Flask(__name__)


class Bed:
    def sleep(self, hours):
        return hours


@app.get("/")
def index():
    hours = [time.sleep(8) for time in (Bed(), Bed())]
    time.sleep(0.01)  # blocks: time.sleep
    return str(hours)
