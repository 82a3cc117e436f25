"""A class and its attributes are called like a blocking module."""

from flask import Flask

app = Flask(__name__)


class requests:
    @staticmethod
    def get(url):
        return f"asked for {url}"


class Room:
    class time:
        @staticmethod
        def sleep(seconds):
            return seconds


@app.get("/")
def index():
    Room.time.sleep(5)
    return requests.get("http://127.0.0.1:8799/")
