"""A scan of what was migrated: its routes are async, and nothing holds up the event loop."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from pathlib import Path

import pytest

from corpus.importing import imported_app
from flasync.toolkit.finding import Finding, ScanReport, Severity, Verdict
from flasync.toolkit.migration.migrating import Manner, Migration
from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.migration.planning import Planner, Wish
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.scanning import build_program, build_report

HTTP = """\
import requests
from flask import Flask

app = Flask(__name__)


def fetch(city):
    try:
        answer = requests.get("https://example.org/weather", params={"q": city}, timeout=5)
        answer.raise_for_status()
    except requests.RequestException as error:
        return {"error": str(error)}
    return answer.json()


@app.get("/weather/<city>")
def weather(city):
    return fetch(city)
"""

SHARED_HELPER = """\
import time

import click
from flask import Flask

app = Flask(__name__)


def pause(seconds):
    time.sleep(seconds)


@app.cli.command()
@click.argument("seconds", type=float)
def wait(seconds):
    pause(seconds)


@app.get("/slow")
def slow():
    pause(1)
    return "slow"


@app.get("/slower")
def slower():
    for _ in range(3):
        pause(1)
    return "slower"
"""

SQLITE = """\
import sqlite3

from flask import Flask, current_app, g

app = Flask(__name__)
app.config["DATABASE"] = "books.sqlite"


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
    return g.db


@app.teardown_appcontext
def close_db(error):
    db = g.pop("db", None)
    if db is not None:
        db.close()


@app.get("/books")
def books():
    rows = get_db().execute("SELECT title FROM book ORDER BY title").fetchall()
    return [row["title"] for row in rows]


@app.post("/books/<title>")
def add(title):
    db = get_db()
    db.execute("INSERT INTO book (title) VALUES (?)", (title,))
    db.commit()
    return "", 201
"""

REDIS = """\
import redis
from flask import Flask

app = Flask(__name__)
store = redis.Redis.from_url("redis://127.0.0.1:1/0", decode_responses=True)


@app.get("/visits/<name>")
def visits(name):
    with store.pipeline() as pipe:
        pipe.incr(name)
        pipe.expire(name, 60)
        number, _ = pipe.execute()
    return {"visits": number, "names": store.lrange("names", 0, -1)}
"""

SQLALCHEMY = """\
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///books.sqlite"
db = SQLAlchemy(app)


class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String, nullable=False)


@app.get("/books/<int:book_id>")
def book(book_id):
    return db.get_or_404(Book, book_id).title


@app.get("/books")
def books():
    return [book.title for book in Book.query.order_by(Book.title)]


@app.post("/books/<title>")
def add(title):
    db.session.add(Book(title=title))
    db.session.commit()
    return "", 201
"""

PROGRAM = """\
import subprocess
import time

from flask import Flask

app = Flask(__name__)


@app.get("/version")
def version():
    time.sleep(0.1)
    done = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True)
    return done.stdout


@app.post("/tidy")
def tidy():
    return {"code": subprocess.call(["git", "gc"])}
"""

HOOKS = """\
import time

from flask import Flask, g

app = Flask(__name__)


@app.before_request
def throttle():
    time.sleep(0.1)


@app.after_request
def note(response):
    time.sleep(0.1)
    response.headers["X-Name"] = g.get("name", "")
    return response


@app.get("/hello/<name>")
def hello(name):
    g.name = name
    return "hello"
"""

BLOCK = """\
import smtplib
import time

from flask import Flask

app = Flask(__name__)


def send(message):
    with smtplib.SMTP("localhost") as smtp:
        smtp.sendmail("shop@example.org", ["a@example.org"], message)


@app.post("/orders")
def order():
    time.sleep(0.1)
    send("Thank you.")
    return "", 201
"""

OWN_LOOP = """\
import asyncio

from flask import Flask

app = Flask(__name__)


async def fetch(number):
    await asyncio.sleep(0.1)
    return {"number": number}


@app.get("/numbers/<int:number>")
def show(number):
    return asyncio.run(fetch(number))
"""

CONNECTIONS = """\
import psycopg
import pymysql
from flask import Flask

app = Flask(__name__)


@app.get("/books")
def books():
    with psycopg.connect("postgresql://127.0.0.1:1/shop") as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT title FROM book")
            return [row[0] for row in cursor.fetchall()]


@app.get("/orders")
def orders():
    with pymysql.connect(host="127.0.0.1") as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM orders")
            return [row[0] for row in cursor.fetchall()]
"""

SESSION = """\
import requests
from flask import Flask

app = Flask(__name__)


@app.get("/weather")
def weather():
    with requests.Session() as session:
        session.headers["Accept"] = "application/json"
        return session.get("https://example.org/weather", timeout=5).json()
"""

GENERATORS = """\
import time

from flask import Flask, stream_with_context
from flask.views import MethodView

app = Flask(__name__)


class Books(MethodView):
    def get(self):
        time.sleep(0.1)
        return self.find()

    def find(self):
        time.sleep(0.1)
        return "books"


app.add_url_rule("/books", view_func=Books.as_view("books"))


@app.get("/rows")
def rows():
    for number in range(3):
        time.sleep(0.1)
        yield str(number)


@app.get("/stream")
def stream():
    def produce():
        time.sleep(0.1)
        yield "a"

    return app.response_class(stream_with_context(produce()))
"""

APPS = {
    "requests": HTTP,
    "a helper that a command calls, too": SHARED_HELPER,
    "sqlite3": SQLITE,
    "redis": REDIS,
    "SQLAlchemy": SQLALCHEMY,
    "other programs": PROGRAM,
    "hooks": HOOKS,
    "a block in a thread": BLOCK,
    "a loop of its own": OWN_LOOP,
    "connections": CONNECTIONS,
    "a session": SESSION,
    "methods and generators": GENERATORS,
}
# Here every call can be followed, through the faces of async clients too.
FOLLOWED = [REDIS, SQLITE, CONNECTIONS, SESSION, PROGRAM]


def scan(root: Path) -> ScanReport:
    """What a scan says of the app in a folder."""
    with imported_app(root) as app:
        return build_report(build_program(app, root, path="app"), ProjectSettings())


def migrate(root: Path) -> MigrationReport:
    """What is done with the app in a folder; its files are changed."""
    importlib.invalidate_caches()
    with imported_app(root) as app:
        program = build_program(app, root, path="app")
        planner = Planner(program, build_report(program, ProjectSettings()))
        return Migration(planner, root.resolve(), "app", Manner(write=True)).run(Wish())


def list_harmful(report: ScanReport, known: Collection[tuple[str, str]] = ()) -> list[Finding]:
    """What holds up the event loop, and what goes wrong when requests overlap, if it is new."""
    return [
        finding
        for finding in report.findings
        if finding.severity is Severity.ERROR
        or (finding.code[:4] in {"FSY2", "FSY3"} and (finding.code, finding.subject) not in known)
    ]


@pytest.mark.parametrize("source", APPS.values(), ids=APPS)
def test_rescan(source: str, tmp_path: Path) -> None:
    """Every route of these apps moves, is async to the scan, and is found to hold up nobody."""
    (tmp_path / "app.py").write_text(source)
    before = scan(tmp_path)
    migrate(tmp_path)
    importlib.invalidate_caches()
    after = scan(tmp_path)
    moved = {route.id for route in after.routes if route.is_async}
    assert moved == {route.id for route in before.routes if "/static/" not in route.rule}
    verdicts = {route.verdict for route in after.routes if route.id in moved}
    assert verdicts <= {Verdict.READY, Verdict.UNKNOWN}
    assert list_harmful(after, {(item.code, item.subject) for item in before.findings}) == []
    assert [item.subject for item in after.findings if item.code.startswith("FSY1")] == []


@pytest.mark.parametrize("source", FOLLOWED)
def test_faces_are_known(source: str, tmp_path: Path) -> None:
    """What a client behind a sync face gives is no mystery: the routes are ready, not unknown."""
    (tmp_path / "app.py").write_text(source)
    migrate(tmp_path)
    importlib.invalidate_caches()
    moved = [route for route in scan(tmp_path).routes if route.is_async]
    assert [call for route in moved for _, call in route.unresolved] == []
    assert {route.verdict for route in moved} == {Verdict.READY}


@pytest.mark.parametrize("source", APPS.values(), ids=APPS)
def test_second_migration(source: str, tmp_path: Path) -> None:
    """What was migrated is left alone by a second migration."""
    (tmp_path / "app.py").write_text(source)
    assert migrate(tmp_path).outcomes
    written = {path: path.read_bytes() for path in tmp_path.glob("*.py")}
    assert not migrate(tmp_path).outcomes
    assert {path: path.read_bytes() for path in tmp_path.glob("*.py")} == written


def test_scan_still_sees_what_blocks(tmp_path: Path) -> None:
    """A call that blocks beside migrated ones is found: on the event loop it is an error."""
    (tmp_path / "app.py").write_text(BLOCK)
    migrate(tmp_path)
    path = tmp_path / "app.py"
    text = path.read_text().replace('    return "", 201', "    time.sleep(1)\n    return ''")
    path.write_text(f"import time\n{text}")
    importlib.invalidate_caches()
    (finding,) = list_harmful(scan(tmp_path))
    assert finding.subject == "time.sleep"
