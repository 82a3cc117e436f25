"""An object known by its abstract class alone: each subclass may be what is used."""

import time

import requests
from flask import Flask

app = Flask(__name__)


class Storage:
    def read(self, name):
        raise NotImplementedError

    def close(self):
        return None


class Remote(Storage):
    def read(self, name):
        return requests.get("http://127.0.0.1:8799/" + name).text  # blocks: requests.get


class Plain(Storage):
    def read(self, name):
        return name

    def close(self):
        time.sleep(1)



def fetch(storage: Storage, name):
    return storage.read(name)


@app.get("/")
def index():
    return fetch(app.config.get("STORAGE"), "a")
