"""Flask's sync views in a2wsgi, with as many threads as the other threaded stacks."""

from a2wsgi import WSGIMiddleware

from benchmarks.apps.flask_sync import create_app
from benchmarks.stacks import THREADS

# a2wsgi's environ is a TypedDict, Flask's a plain dict: the same thing at run time.
app = WSGIMiddleware(create_app(), workers=THREADS)  # type: ignore[arg-type]
