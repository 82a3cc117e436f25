"""A sync database driver in an async view. does not overlap: loop"""

import flask
import psycopg2
import upstream

app = flask.Flask(__name__)


@app.get("/")
async def index():
    connection = psycopg2.connect(upstream.POSTGRES)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.1)")  # here
    connection.close()
    return ""
