"""Classes that register themselves when they are defined, and an enum with a method."""

import enum
import time

import requests
from flask import Flask

app = Flask(__name__)


class Job:
    kinds = {}

    def __init_subclass__(cls):
        Job.kinds[cls.__name__.lower()] = cls

    def run(self):
        raise NotImplementedError


class Mail(Job):
    def run(self):
        return requests.post("http://127.0.0.1:8799/").text  # blocks: requests.post


class Pause(enum.Enum):
    SHORT = 0.001

    def wait(self):
        time.sleep(self.value)  # blocks: time.sleep


@app.get("/")
def index():
    Pause.SHORT.wait()
    return Job.kinds["mail"]().run()
