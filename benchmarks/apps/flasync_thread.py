"""flasync's thread lane: the Flask app of sync views, as it is."""

import flasync
from benchmarks.apps.flask_sync import create_app
from benchmarks.stacks import THREADS

flask_app = create_app()
flask_app.config["WORKER_THREADS"] = THREADS
app = flasync.ASGI(flask_app)
