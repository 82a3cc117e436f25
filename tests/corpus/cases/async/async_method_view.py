"""A class-based view with async methods."""

import asyncio
import time

from flask import Flask
from flask.views import MethodView

app = Flask(__name__)


class Books(MethodView):
    async def get(self):
        await asyncio.sleep(0)
        return self.load()

    def load(self):
        time.sleep(0.001)  # blocks: time.sleep
        return "books"

    async def post(self):
        await asyncio.sleep(0)
        return "posted"


app.add_url_rule("/books", view_func=Books.as_view("books"))
