"""An abstract method: what runs is the method of the class that is used."""

import abc
import time

import requests
from flask import Flask

app = Flask(__name__)


class Storage(abc.ABC):
    @abc.abstractmethod
    def read(self, name):
        """Return what is stored."""

    def read_all(self, *names):
        return [self.read(name) for name in names]


class Remote(Storage):
    def read(self, name):
        return requests.get("http://127.0.0.1:8799/" + name).text  # blocks: requests.get


class Slow(Storage):
    def read(self, name):
        time.sleep(10)


storage = Remote()


@app.get("/")
def index():
    return "".join(storage.read_all("a", "b"))
