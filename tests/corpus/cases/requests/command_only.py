"""Code that only commands and the shell run."""

import time

import click
import requests
from flask import Flask
from flask.cli import with_appcontext

app = Flask(__name__)


def refresh():
    time.sleep(1)
    return requests.get("http://127.0.0.1:8799/")


@app.cli.command("refresh")
def refresh_command():
    refresh()


@click.group()
def stock():
    time.sleep(1)


@stock.command()
@with_appcontext
def fill():
    time.sleep(1)


app.cli.add_command(stock)


@app.shell_context_processor
def names():
    time.sleep(1)
    return {}


@app.get("/")
def index():
    return "hello"
