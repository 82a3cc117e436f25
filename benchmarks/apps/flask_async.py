"""The application in Flask, with `async def` views."""

import asyncio

from flask import Flask, render_template, request

from benchmarks.apps import TEMPLATES
from benchmarks.routes import ITEMS, WAIT_S


def create_app() -> Flask:
    """A Flask app of `async def` views."""
    app = Flask(__name__, template_folder=str(TEMPLATES))

    @app.get("/")
    async def hello() -> str:
        return "Hello, World!"

    @app.get("/json")
    async def as_json() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/user/<int:id>")
    async def user(id: int) -> dict[str, int | str]:
        return {"id": id, "q": request.args["q"]}

    @app.post("/order")
    async def order() -> dict[str, float | str]:
        data = request.get_json()
        return {"name": data["name"], "total": data["price"] * data["count"]}

    @app.get("/page")
    async def page() -> str:
        return render_template("page.html", title="Items", items=ITEMS)

    @app.get("/wait")
    async def wait() -> str:
        await asyncio.sleep(WAIT_S)
        return "done"

    return app


app = create_app()
