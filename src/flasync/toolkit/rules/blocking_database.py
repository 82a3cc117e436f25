"""FSY103: waiting for a database in a request."""

from __future__ import annotations

from flasync.toolkit.knowledge import Kind
from flasync.toolkit.rules.blocking_call import BlockingCallRule
from flasync.toolkit.rules.rule import Case, Page

_MODELS = """\
import flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


app = flask.Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app, model_class=Base)


class Book(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
"""


class BlockingDatabase(BlockingCallRule):
    """Finds queries, commits and connections of database drivers and ORMs."""

    code = "FSY103"
    name = "blocking-database"
    kind = Kind.DATABASE
    waiting = "waits for the database"

    page = Page(
        what=(
            "Finds calls that wait for a database: queries, commits, connections and cursors, of"
            " drivers and of ORMs, in views, models, hooks and templates."
        ),
        why=(
            "A query takes a millisecond, or seconds while another transaction holds a row. The"
            " worker thread of a sync view is held meanwhile. In an async view a sync driver stops"
            " every other request of the process for the length of each query."
        ),
        example="""\
SQLALCHEMY_DATABASE_URI = "postgresql://shop@localhost/shop"


@app.get("/books")
async def books():
    return {"books": [book.title for book in db.session.scalars(db.select(Book))]}
""",
        instead="""\
SQLALCHEMY_DATABASE_URI = "postgresql+asyncpg://shop@localhost/shop"


@app.get("/books")
async def books():
    return {"books": [book.title for book in db.session.scalars(db.select(Book))]}
""",
        fix_safety=(
            "With SQLAlchemy, the driver in the URL is all that changes: `flasync migrate` writes"
            " it where it finds the URL and knows that both drivers take its options, and runs your"
            " tests on it. Code that reaches for the driver's own connection needs a look."
            " Connections of sqlite3, psycopg and PyMySQL that are made and closed in the project"
            " get an async one behind `flasync.bridged`, and their code stays. With other drivers"
            " the view stays in its thread, or `flasync.run_sync` calls what uses the connection."
        ),
        references=(
            (
                "SQLAlchemy: dialects",
                "https://docs.sqlalchemy.org/en/20/dialects/index.html",
            ),
        ),
    )

    invalid = (
        Case(
            "sqlite3 in a view",
            {
                "app.py": """\
import sqlite3

import flask

app = flask.Flask(__name__)


@app.get("/")
def index():
    connection = sqlite3.connect(":memory:")  # FSY103
    row = connection.execute("SELECT 1").fetchone()  # FSY103
    return str(row[0])
"""
            },
        ),
        Case(
            "a connection kept in `g` by a helper",
            {
                "app.py": """\
import flask

import books

app = flask.Flask(__name__)


@app.get("/")
def index():
    return {"titles": books.list_titles()}
""",
                "books.py": """\
import sqlite3

from flask import g


def get_db() -> sqlite3.Connection:
    if "db" not in g:
        g.db = sqlite3.connect("books.db")  # FSY103
    return g.db


def list_titles():
    return get_db().execute("SELECT title FROM book").fetchall()  # FSY103
""",
            },
        ),
        Case(
            "Flask-SQLAlchemy in a view",
            {
                "app.py": _MODELS
                + """

@app.post("/books/<title>")
def add(title):
    db.session.add(Book(title=title))
    db.session.commit()  # FSY103
    return "added"
"""
            },
        ),
        Case(
            "a method of a model",
            {
                "app.py": _MODELS
                + """
    @classmethod
    def find(cls, title):
        return db.session.scalar(db.select(cls).where(cls.title == title))  # FSY103


@app.get("/books/<title>")
async def show(title):
    return str(Book.find(title) is not None)
"""
            },
        ),
        Case(
            "a plain session as a context manager",
            {
                "app.py": """\
import flask
import sqlalchemy
from sqlalchemy.orm import Session

app = flask.Flask(__name__)
engine = sqlalchemy.create_engine("sqlite://")


@app.get("/")
def index():
    with Session(engine) as session:
        return str(session.scalar(sqlalchemy.text("SELECT 1")))  # FSY103
"""
            },
        ),
    )
    valid = (
        Case(
            "a statement that is only built",
            {
                "app.py": _MODELS
                + """

@app.get("/")
def index():
    return str(db.select(Book).where(Book.title == "Emma").order_by(Book.id))
"""
            },
        ),
        Case(
            "an object that is only added",
            {
                "app.py": _MODELS
                + """

@app.get("/")
def index():
    db.session.add(Book(title="Emma"))
    return "pending"
"""
            },
        ),
        Case(
            "aiosqlite, awaited",
            {
                "app.py": """\
import aiosqlite
import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    async with aiosqlite.connect(":memory:") as connection:
        async with connection.execute("SELECT 1") as cursor:
            return str((await cursor.fetchone())[0])
"""
            },
        ),
        Case(
            "SQLAlchemy's own async session",
            {
                "app.py": """\
import flask
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

app = flask.Flask(__name__)
engine = create_async_engine("sqlite+aiosqlite://")


@app.get("/")
async def index():
    async with AsyncSession(engine) as session:
        return str(await session.scalar(sqlalchemy.text("SELECT 1")))
"""
            },
        ),
        Case(
            "an async driver in the URL",
            {
                "app.py": _MODELS.replace("sqlite://", "sqlite+aiosqlite://")
                + """

@app.get("/books")
async def books():
    return {"titles": list(db.session.scalars(db.select(Book.title)))}
"""
            },
        ),
        Case(
            "in a command",
            {
                "app.py": _MODELS
                + """

@app.cli.command("init-db")
def init_db():
    db.create_all()
    db.session.commit()


@app.get("/")
def index():
    return "done"
"""
            },
        ),
        Case(
            "a class of the project with `execute` and `commit`",
            {
                "app.py": """\
import flask

app = flask.Flask(__name__)


class Plan:
    def execute(self, step):
        return step

    def commit(self):
        return "kept"


@app.get("/")
def index():
    session = Plan()
    session.execute("pack")
    return session.commit()
"""
            },
        ),
        Case(
            "run in a thread",
            {
                "app.py": """\
import sqlite3

import flask

from flasync import run_sync

app = flask.Flask(__name__)


def count():
    return sqlite3.connect(":memory:").execute("SELECT 1").fetchone()[0]


@app.get("/")
async def index():
    return str(await run_sync(count))
"""
            },
        ),
    )
