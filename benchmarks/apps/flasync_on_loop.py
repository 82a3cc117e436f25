"""flasync's loop lane by hand: the Flask app of sync views, every one `@flasync.on_loop`."""

import asyncio

import flasync
from benchmarks.apps.flask_sync import create_app


def sleep(seconds: float) -> None:
    """Waits without holding the loop."""
    flasync.await_(asyncio.sleep(seconds))


app = flasync.ASGI(create_app(lane=flasync.on_loop, sleep=sleep))
