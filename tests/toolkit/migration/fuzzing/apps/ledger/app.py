"""A ledger over sqlite3, with the connection in `g`."""

import functools
import sqlite3
import time

from flask import Blueprint, Flask, abort, current_app, g, request

ledger = Blueprint("ledger", __name__)
SCHEMA = "CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)"


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
    return g.db


def close_db(error=None):
    db = g.pop("db", None)
    if db is not None:
        db.close()


def query(statement, *values):
    rows = get_db().execute(statement, values).fetchall()
    return [dict(row) for row in rows]


def query_one(statement, *values):
    rows = query(statement, *values)
    return rows[0] if rows else None


def execute(statement, *values):
    db = get_db()
    cursor = db.execute(statement, values)
    db.commit()
    return cursor.lastrowid


def needs_key(view):
    @functools.wraps(view)
    def checked(*args, **kwargs):
        if request.headers.get("X-Key") != current_app.config["KEY"]:
            abort(401)
        return view(*args, **kwargs)

    return checked


@ledger.before_request
def slow_down():
    time.sleep(current_app.config["PAUSE_S"])


@ledger.get("/entries")
def entries():
    return query("SELECT * FROM entry ORDER BY id")


@ledger.get("/entries/<int:number>")
def entry(number):
    found = query_one("SELECT * FROM entry WHERE id = ?", number)
    if found is None:
        abort(404)
    return found


@ledger.post("/entries")
@needs_key
def add():
    name, amount = request.json["name"], int(request.json["amount"])
    number = execute("INSERT INTO entry (name, amount) VALUES (?, ?)", name, amount)
    audit(f"added {number}")
    return entry_or_404(number), 201


@ledger.get("/total")
def total():
    row = query_one("SELECT sum(amount) AS total, count(*) AS entries FROM entry")
    audit("total")
    return row


def audit(event):
    """Tell a slow auditor."""
    time.sleep(current_app.config["PAUSE_S"])
    current_app.config["AUDIT"].append(event)


def entry_or_404(number):
    found = query_one("SELECT * FROM entry WHERE id = ?", number)
    return found if found is not None else abort(404)


def create_app(database="ledger.db"):
    app = Flask(__name__)
    app.config.update(DATABASE=database, KEY="key", PAUSE_S=0.001, AUDIT=[])
    app.register_blueprint(ledger)
    app.teardown_appcontext(close_db)
    return app


def create_schema(app):
    with app.app_context():
        execute(SCHEMA)


app = create_app()
