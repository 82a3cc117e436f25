"""The library app for a WSGI server with worker processes; it has queried before they fork."""

import os

from data.library import create_app, db, read

app = create_app(os.environ["LIBRARY_URL"], pool_size=2)
with app.app_context():
    read()


@app.get("/pid")
def pid() -> str:
    """The worker's process id, and the database connection's."""
    return f"{os.getpid()} {db.session.scalar(db.text('SELECT pg_backend_pid()'))}"
