"""Functions that a decorator puts into a list, which a view walks."""

import time

from flask import Flask

app = Flask(__name__)
checks = []


def check(function):
    checks.append(function)
    return function


@check
def check_disk():
    with open(__file__) as file:  # blocks: open
        return bool(file)


@check
def check_clock():
    time.sleep(0.01)  # blocks: time.sleep
    return True


@app.get("/health")
def health():
    return {"healthy": all(function() for function in checks)}
