"""The application in Flask, with sync views."""

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, render_template, request

from benchmarks.apps import TEMPLATES
from benchmarks.routes import ITEMS, WAIT_S

View = Callable[..., Any]


def unchanged(view: View) -> View:
    """The view itself: no lane is asked for."""
    return view


def create_app(
    lane: Callable[[View], View] = unchanged, sleep: Callable[[float], None] = time.sleep
) -> Flask:
    """A Flask app of sync views.

    Args:
        lane: Decorator over every view, such as `flasync.on_loop`.
        sleep: What `/wait` calls with its seconds.
    """
    app = Flask(__name__, template_folder=str(TEMPLATES))

    @app.get("/")
    @lane
    def hello() -> str:
        return "Hello, World!"

    @app.get("/json")
    @lane
    def as_json() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/user/<int:id>")
    @lane
    def user(id: int) -> dict[str, int | str]:
        return {"id": id, "q": request.args["q"]}

    @app.post("/order")
    @lane
    def order() -> dict[str, float | str]:
        data = request.get_json()
        return {"name": data["name"], "total": data["price"] * data["count"]}

    @app.get("/page")
    @lane
    def page() -> str:
        return render_template("page.html", title="Items", items=ITEMS)

    @app.get("/wait")
    @lane
    def wait() -> str:
        sleep(WAIT_S)
        return "done"

    return app


app = create_app()
