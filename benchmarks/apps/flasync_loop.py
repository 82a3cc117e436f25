"""flasync's loop lane: the Flask app of `async def` views, as it is."""

import flasync
from benchmarks.apps.flask_async import create_app

app = flasync.ASGI(create_app())
