"""A driver of the DB-API, with cursors and context managers."""

import psycopg2
from flask import Flask

app = Flask(__name__)
DSN = "host=127.0.0.1 port=6398 connect_timeout=1"


@app.get("/")
def index():
    connection = psycopg2.connect(DSN)  # blocks: psycopg2.connect
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # blocks: psycopg2.extensions.cursor.execute
        row = cursor.fetchone()  # either: psycopg2.extensions.cursor.fetchone
    connection.commit()  # blocks: psycopg2.extensions.connection.commit
    return str(row)
