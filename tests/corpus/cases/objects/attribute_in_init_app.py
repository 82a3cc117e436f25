"""An extension of the project's own that init_app fills in."""

import redis
from flask import Flask, current_app


class Store:
    client = None

    def __init__(self, app=None):
        if app is not None:
            self.init_app(app)

    def init_app(self, app):
        self.client = redis.Redis(port=6399, socket_timeout=1)
        app.extensions["store"] = self

    def count(self, name):
        return self.client.incr(name)  # blocks: redis.Redis.incr


store = Store()


def create_app():
    app = Flask(__name__)
    store.init_app(app)

    @app.get("/")
    def index():
        return str(store.count("visits"))

    @app.get("/extension")
    def extension():
        return str(current_app.extensions["store"].client.ping())  # blocks: redis.Redis.ping

    return app
