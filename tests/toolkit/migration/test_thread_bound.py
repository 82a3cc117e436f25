"""Which routes use what belongs to their thread."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.serving.location import load_flask_app
from flasync.toolkit.migration.thread_bound import ThreadBound, find_thread_bound
from flasync.toolkit.scanning import build_program

Find = Callable[..., ThreadBound | None]

MODELS = """\
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column, scoped_session, sessionmaker

engine = sa.create_engine("sqlite://")
session = scoped_session(sessionmaker(engine){scope})


class Base(DeclarativeBase):
    query = session.query_property()


class Book(Base):
    __tablename__ = "book"
    id = mapped_column(sa.Integer, primary_key=True)
"""

FLASK_SQLALCHEMY = """\
import threading

import flask
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy

app = flask.Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app{options})


@app.get("/")
def index():
    return str(db.session.scalar(sa.text("SELECT 1")))
"""


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Find]:
    """Write a project, import its app, and look at the route "GET /"."""

    def look(**files: str) -> ThreadBound | None:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
            sys.modules.pop(name, None)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        program = build_program(load_flask_app("app"), tmp_path)
        return find_thread_bound(program, program.entries["GET /"])

    yield look
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def write_app(imports: str, *body: str) -> str:
    """An app with one view."""
    lines = "".join(f"    {line}\n" for line in body)
    head = f"import flask\n{imports}\n\napp = flask.Flask(__name__)\n\n\n"
    return f"{head}@app.get('/')\ndef index():\n{lines}"


def test_scoped_session(find: Find) -> None:
    """A `scoped_session` with one session a thread is found where it is used."""
    app = write_app("from models import Book, session", "return str(session.get(Book, 1))")
    bound = find(app=app, models=MODELS.format(scope=""))
    assert bound is not None
    assert "one" in bound.reason and "thread" in bound.reason
    assert (bound.place.file, bound.place.line) == ("app.py", 9)


@pytest.mark.parametrize("scope", ["", ", scopefunc=threading.get_ident"])
def test_scoped_session_behind_models(find: Find, scope: str) -> None:
    """It is found as well where only the model's `query` leads to it, named by a thread or not."""
    models = "import threading\n" + MODELS.format(scope=scope)
    bound = find(
        app=write_app("from models import Book", "return str(Book.query.all())"), models=models
    )
    assert bound is not None
    assert "`models.session` keeps one session for each thread" in bound.reason


def test_scoped_session_elsewhere(find: Find) -> None:
    """A route without a database may move, whatever sessions the app has."""
    app = write_app("import time\nfrom models import Book", "time.sleep(1)", "return ''")
    assert find(app=app, models=MODELS.format(scope="")) is None


def test_scope_of_its_own(find: Find) -> None:
    """A session for each app context belongs to the request."""
    scope = ", scopefunc=lambda: id(flask.g._get_current_object())"
    models = "import flask\n" + MODELS.format(scope=scope)
    app = write_app("from models import Book", "return str(Book.query.all())")
    assert find(app=app, models=models) is None


def test_flask_sqlalchemy(find: Find) -> None:
    """Flask-SQLAlchemy's sessions belong to the app context, unless the app says otherwise."""
    assert find(app=FLASK_SQLALCHEMY.format(options="")) is None
    options = ', session_options={"scopefunc": threading.get_ident}'
    bound = find(app=FLASK_SQLALCHEMY.format(options=options))
    assert bound is not None
    assert "session for each thread" in bound.reason


def test_thread_local_object(find: Find) -> None:
    """A thread-local object of the project's own is found in a function that the view calls."""
    local = (
        "import threading\n\nlocal = threading.local()\n\n\ndef load():\n    return local.user\n"
    )
    bound = find(app=write_app("from user import load", "return load()"), user=local)
    assert bound is not None
    assert (bound.place.file, bound.place.line) == ("user.py", 7)


def test_peewee(find: Find) -> None:
    """Peewee keeps its connection in the thread."""
    pytest.importorskip("peewee")
    models = """\
import peewee


class Book(peewee.Model):
    class Meta:
        database = peewee.SqliteDatabase(":memory:")
"""
    app = write_app("from models import Book", "return str(Book.get_by_id(1))")
    bound = find(app=app, models=models)
    assert bound is not None
    assert bound.reason.startswith("peewee keeps one connection for each thread")


def test_nothing_of_the_thread(find: Find) -> None:
    """A view that only waits may move."""
    assert find(app=write_app("import time", "time.sleep(1)", "return ''")) is None
