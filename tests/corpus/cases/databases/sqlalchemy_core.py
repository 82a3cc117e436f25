"""Engines, connections and sessions of plain SQLAlchemy."""

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = Flask(__name__)
engine = create_engine("sqlite:///case-core.db")
Sessions = sessionmaker(engine)


@app.get("/")
def index():
    with engine.connect() as connection:  # blocks: sqlalchemy.Engine.connect
        rows = connection.execute(text("SELECT 1"))  # blocks: sqlalchemy.Connection.execute
        return str(rows.scalar())  # either: sqlalchemy.CursorResult.scalar


@app.get("/session")
def with_session():
    with Session(engine) as session:  # either: sqlalchemy.orm.Session.close
        return str(session.execute(text("SELECT 1")).all())  # blocks: sqlalchemy.orm.Session.execute


@app.get("/sessionmaker")
def with_sessionmaker():
    with Sessions() as session:  # either: sqlalchemy.orm.Session.close
        return str(session.scalar(text("SELECT 1")))  # blocks: sqlalchemy.orm.Session.scalar


@app.get("/built")
def built():
    return str(text("SELECT 1").compile(engine))
