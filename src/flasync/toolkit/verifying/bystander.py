"""The bystander: a route that does nothing, asked while others are under load."""

from __future__ import annotations

from flask import Flask

from flasync.lanes import on_loop

PATH = "/-/flasync/bystander"
ENDPOINT = "flasync_bystander"


def add_bystander(app: Flask) -> None:
    """Add the route to an app that has not served a request yet, if it is not there."""
    if ENDPOINT not in app.view_functions:
        app.add_url_rule(PATH, ENDPOINT, _stand_by)


@on_loop
def _stand_by() -> tuple[str, int]:
    return "", 204
