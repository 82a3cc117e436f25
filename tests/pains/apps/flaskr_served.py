"""The tutorial's application from Flask's own source distribution, unmodified, served."""

import os
import sys

import flasync

sys.path.insert(0, os.environ["FLASKR_FOLDER"])

from flaskr import create_app
from flaskr.db import init_db

app = create_app({"SECRET_KEY": "dev", "DATABASE": os.environ["FLASKR_DATABASE"]})
with app.app_context():
    init_db()
asgi = flasync.ASGI(app)
