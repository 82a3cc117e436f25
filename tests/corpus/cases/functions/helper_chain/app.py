"""A blocking call four calls below the view."""

from flask import Flask
from shop.orders import place

app = Flask(__name__)


@app.get("/")
def index():
    return place("Emma")
