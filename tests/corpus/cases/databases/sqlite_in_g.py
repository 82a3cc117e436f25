"""The tutorial's way: a connection in flask.g, closed when the request ends."""

import pathlib
import sqlite3

from flask import Flask, g

app = Flask(__name__)
PATH = pathlib.Path(__file__).with_name("case.db")


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(PATH)  # blocks: sqlite3.connect
        g.db.row_factory = sqlite3.Row
    return g.db


@app.teardown_appcontext
def close_db(error=None):
    db = g.pop("db", None)
    if db is not None:
        db.close()  # either: sqlite3.Connection.close


@app.get("/")
def index():
    db = get_db()
    db.execute("CREATE TABLE IF NOT EXISTS book (title TEXT)")  # blocks: sqlite3.Connection.execute
    db.execute("INSERT INTO book VALUES (?)", ("Emma",))  # blocks: sqlite3.Connection.execute
    db.commit()  # blocks: sqlite3.Connection.commit
    rows = db.execute("SELECT title FROM book").fetchall()  # blocks: sqlite3.Connection.execute, sqlite3.Cursor.fetchall
    return ", ".join(row["title"] for row in rows)


@app.get("/lazily")
def lazily():
    cursor = get_db().execute("SELECT title FROM book")  # blocks: sqlite3.Connection.execute
    return ", ".join(title for (title,) in cursor)  # blocks: sqlite3.Cursor.__iter__
