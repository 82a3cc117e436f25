"""Giving every database of an app an async driver, by its URL alone."""

import importlib
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from flasync.serving.location import load_flask_app
from flasync.toolkit.async_urls import are_databases_async
from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.database_drivers import choose_driver
from flasync.toolkit.migration.database_url import DatabaseStep, plan_database_url
from flasync.toolkit.migration.plan import Safety
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.suite_reading import read_suite
from flasync.toolkit.scanning import build_program

HEAD = """\
import os

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

here = os.path.dirname(os.path.abspath(__file__))
app = Flask(__name__)
db = SQLAlchemy()
"""
TAIL = """
db.init_app(app)


@app.get("/")
def index():
    return str(db.session.scalar(sa.select(sa.literal(42))))
"""


class Project:
    """A small project, imported anew after each change."""

    def __init__(self, root: Path, forget: Callable[[], None]) -> None:
        self.root = root
        self._forget = forget

    def write(self, **files: str) -> None:
        """Write its modules."""
        for name, text in files.items():
            (self.root / f"{name}.py").write_text(text)

    def load(self) -> Any:
        """Import its app."""
        self._forget()
        importlib.invalidate_caches()
        return load_flask_app("app")

    def plan(self) -> DatabaseStep:
        """Plan for its live app."""
        program = build_program(self.load(), self.root)
        return plan_database_url(program, ProjectFiles(program.sources, read_suite(self.root)))

    def apply(self, step: DatabaseStep) -> None:
        """Make the edits, the last first."""
        for change in reversed(step.changes):
            _apply(self.root / change.edit.file, change.edit)

    def ask(self) -> str:
        """Return what the view at "/" answers."""
        response = self.load().test_client().get("/")
        assert response.status_code == 200
        return str(response.text)


def _apply(path: Path, edit: Edit) -> None:
    lines = path.read_text().splitlines(keepends=True)
    (first, start), (last, end) = edit.start, edit.end
    assert first == last
    line = lines[first - 1]
    lines[first - 1] = line[: start - 1] + edit.text + line[end - 1 :]
    path.write_text("".join(lines))


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, background_loop: None
) -> Generator[Project]:
    """An empty project, that is forgotten afterwards."""

    def forget() -> None:
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
                for value in list(vars(module).values()):
                    _close(module, value)
                del sys.modules[name]

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    # The same second and the same size would make Python take the old compiled file.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Project(tmp_path, forget)
    forget()


def _close(module: Any, value: Any) -> None:
    """Close the connections of an engine, or of Flask-SQLAlchemy's; take back a listener."""
    if callable(value) and event.contains(Engine, "connect", value):
        event.remove(Engine, "connect", value)
    if isinstance(value, Engine):
        value.dispose()
    elif type(value).__name__ == "SQLAlchemy" and "sqlalchemy" in module.app.extensions:
        with module.app.app_context():
            for engine in value.engines.values():
                engine.dispose()


def build_app(*lines: str) -> str:
    """The source of an app with these lines between its head and its tail."""
    return "\n".join([HEAD, *lines, TAIL])


def list_texts(step: DatabaseStep) -> list[str]:
    """What the edits write."""
    return [change.edit.text for change in step.changes]


SQLITE = "sqlite+aiosqlite"

CHANGED = {
    "a literal with concatenation": [
        "app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///' + here + '/shop.db'"
    ],
    "an f-string": ["app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{here}/shop.db'"],
    "format": ["app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///{}/shop.db'.format(here)"],
    "percent": ["app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///%s/shop.db' % here"],
    "the default of os.environ.get": [
        "app.config['SQLALCHEMY_DATABASE_URI'] = os.environ.get(",
        "    'SHOP_DATABASE', 'sqlite:///' + here + '/shop.db'",
        ")",
    ],
    "or": [
        "app.config.update(SQLALCHEMY_DATABASE_URI=os.getenv('SHOP_DATABASE', '').replace('a://', 'b://')",
        "    or 'sqlite:///' + os.path.join(here, 'shop.db'))",
    ],
    "from_mapping": [
        "app.config.from_mapping(DEBUG=False, SQLALCHEMY_DATABASE_URI=f'''sqlite:///{here}/shop.db''')"
    ],
    "a dict": ["app.config.update({'SQLALCHEMY_DATABASE_URI': f'sqlite:///{here}/shop.db'})"],
    "setdefault": ["app.config.setdefault('SQLALCHEMY_DATABASE_URI', f'sqlite:///{here}/shop.db')"],
    "a constant": [
        "DATABASE = f'sqlite:///{here}/shop.db'",
        "app.config['SQLALCHEMY_DATABASE_URI'] = DATABASE",
    ],
    "the drivers name": [
        "app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite+pysqlite:///{here}/shop.db'"
    ],
    "a class of settings": [
        "class Settings:",
        "    SQLALCHEMY_DATABASE_URI = f'sqlite:///{here}/shop.db'",
        "",
        "class Other(Settings):",
        "    SQLALCHEMY_DATABASE_URI = 'sqlite:///' + here + '/other.db'",
        "",
        "app.config.from_object(Settings)",
    ],
    "URL.create": [
        "url = sa.URL.create('sqlite', database=here + '/shop.db')",
        "app.config['SQLALCHEMY_DATABASE_URI'] = url",
    ],
    "options": [
        "app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{here}/shop.db'",
        "app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {",
        "    'pool_pre_ping': True, 'connect_args': {'timeout': 5, 'check_same_thread': False}}",
    ],
    "a null pool": [
        "from sqlalchemy.pool import NullPool",
        "app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{here}/shop.db'",
        "app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'poolclass': NullPool}",
    ],
    "a listener with a cursor": [
        "app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{here}/shop.db'",
        "@sa.event.listens_for(sa.engine.Engine, 'connect')",
        "def enable_keys(connection, record):",
        "    cursor = connection.cursor()",
        "    cursor.execute('PRAGMA foreign_keys=ON')",
        "    cursor.close()",
    ],
    "questions with the same answer": [
        "app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{here}/shop.db'",
        "if not app.config['SQLALCHEMY_DATABASE_URI']:",
        "    raise SystemExit('no database')",
        "if app.config['SQLALCHEMY_DATABASE_URI'].startswith('postgres://'):",
        "    raise SystemExit('old scheme')",
        "app.logger.debug('database: %s', app.config.get('SQLALCHEMY_DATABASE_URI'))",
    ],
}

MAIN = "app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{here}/shop.db'"
LEFT = {
    "in memory": (["app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite://'"], "in memory"),
    "in memory, by name": (
        ["app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///:memory:'"],
        "in memory",
    ),
    "of a file": (
        ["from pathlib import Path",
         "app.config['SQLALCHEMY_DATABASE_URI'] = Path('url.txt').read_text()"],
        "from the environment or from a file",
    ),
    "an unknown pool": (
        [MAIN, "app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'poolclass': sa.QueuePool}"],
        "`poolclass`",
    ),
    "an unknown argument": (
        [MAIN, "import sqlite3", "class Own(sqlite3.Connection): pass", "",
         "app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'connect_args': {'factory': Own}}"],
        "`connect_args: factory`",
    ),
    "an isolation level": (
        [MAIN, "app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'isolation_level': 'SERIALIZABLE'}"],
        "`isolation_level`",
    ),
    "the path taken from it": (
        [MAIN, "path = app.config['SQLALCHEMY_DATABASE_URI'].replace('sqlite:///', '')"],
        "used for something else",
    ),
    "another answer": (
        [MAIN, "if app.config['SQLALCHEMY_DATABASE_URI'].startswith('sqlite:///'):",
         "    print('local')"],
        "used for something else",
    ),
    "the URL in a variable": (
        [MAIN, "url: str = app.config['SQLALCHEMY_DATABASE_URI']"],
        "used for something else",
    ),
    "a constant used twice": (
        ["DATABASE = f'sqlite:///{here}/shop.db'",
         "app.config['SQLALCHEMY_DATABASE_URI'] = DATABASE",
         "path = DATABASE[10:]"],
        "used for something else",
    ),
    "the engine's URL": (
        [MAIN, "def name(): return str(db.engine.url)"],
        "used for something else",
    ),
    "raw connections": (
        [MAIN, "def vacuum(): db.engine.raw_connection().execute('VACUUM')"],
        "`raw_connection`",
    ),
    "a listener that tells drivers apart": (
        [MAIN, "import sqlite3", "@sa.event.listens_for(sa.engine.Engine, 'connect')",
         "def enable_keys(connection, record):",
         "    if isinstance(connection, sqlite3.Connection):",
         "        connection.execute('PRAGMA foreign_keys=ON')"],
        "`sqlite3.Connection`",
    ),
    "a listener that sets": (
        [MAIN, "def begin(connection, record):", "    connection.isolation_level = None", "",
         "sa.event.listen(sa.engine.Engine, 'connect', begin)"],
        "`connection.isolation_level`",
    ),
    "a listener elsewhere": (
        [MAIN, "ignore = lambda connection, record: None",
         "sa.event.listen(sa.engine.Engine, 'connect', ignore)"],
        "could not be read",
    ),
    "a bind in memory": (
        [MAIN, "app.config['SQLALCHEMY_BINDS'] = {'old': {'url': 'sqlite://'}}"],
        "in memory",
    ),
    "a second engine": (
        [MAIN, "def other(): return sa.create_engine('sqlite:///' + here + '/other.db')"],
        "another engine",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lines", CHANGED.values(), ids=CHANGED)
def test_changed(project: Project, lines: list[str]) -> None:
    """Only the scheme changes; the app answers as before, and its database is async; once."""
    project.write(app=build_app(*lines))
    before = project.ask()
    step = project.plan()
    assert (step.frees, step.reason) == (True, "")
    assert list_texts(step) == [SQLITE]
    assert step.safety is Safety.SAFE
    assert step.distributions == ("aiosqlite",)
    project.apply(step)
    assert project.ask() == before == "42"
    assert are_databases_async(project.load())
    again = project.plan()
    assert (again.changes, again.frees) == ((), True)


@pytest.mark.parametrize(("lines", "reason"), LEFT.values(), ids=LEFT)
def test_left(project: Project, lines: list[str], reason: str) -> None:
    """What another driver might change is left alone, with the reason."""
    (project.root / "url.txt").write_text(f"sqlite:///{project.root}/shop.db")
    project.write(app=build_app(*lines))
    step = project.plan()
    assert (step.changes, step.distributions, step.frees) == ((), (), False)
    assert reason in step.reason


def test_advice_for_the_environment(project: Project) -> None:
    """A variable that goes before the literal is named, for it needs an async driver, too."""
    project.write(app=build_app(*CHANGED["the default of os.environ.get"]))
    assert project.plan().advice.startswith("Where SHOP_DATABASE is set")


def test_set_in_the_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL that the environment sets is the user's to change."""
    monkeypatch.setenv("SHOP_DATABASE", f"sqlite:///{project.root}/shop.db")
    project.write(app=build_app(*CHANGED["the default of os.environ.get"]))
    step = project.plan()
    assert not step.frees
    assert step.reason == "the database URL comes from the environment variable SHOP_DATABASE"
    assert "sqlite+aiosqlite://" in step.advice


def test_two_databases(project: Project) -> None:
    """A bind gets its driver, too."""
    lines = [MAIN, "app.config['SQLALCHEMY_BINDS'] = {'old': f'sqlite:///{here}/old.db'}"]
    project.write(app=build_app(*lines))
    step = project.plan()
    assert list_texts(step) == [SQLITE, SQLITE]
    project.apply(step)
    assert project.ask() == "42"
    assert are_databases_async(project.load())


def test_imported_constant(project: Project) -> None:
    """A URL is followed to the module that it is imported from."""
    project.write(
        settings="import os\n\nDATABASE = 'sqlite:///' + os.getcwd() + '/shop.db'\n",
        app=build_app(
            "from settings import DATABASE", "app.config['SQLALCHEMY_DATABASE_URI'] = DATABASE"
        ),
    )
    step = project.plan()
    assert [change.edit.file for change in step.changes] == ["settings.py"]
    project.apply(step)
    assert project.ask() == "42"


def test_tests_keep_their_url(project: Project) -> None:
    """The URLs of the project's tests stay."""
    test = "import app\n\napp.app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{app.here}/shop.db'\n"
    project.write(app=build_app(MAIN), test_app=test)
    assert [change.edit.file for change in project.plan().changes] == ["app.py"]


@pytest.mark.parametrize(
    "lines",
    [
        ["app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///shop.db'"],
        [
            "class Settings:",
            "    SQLALCHEMY_DATABASE_URI = 'sqlite:///shop.db'",
            "",
            "app.config.from_object(Settings)",
        ],
    ],
)
def test_instance_folder(project: Project, lines: list[str]) -> None:
    """A relative path keeps its folder, which Flask-SQLAlchemy chooses."""
    project.write(app=build_app(*lines))
    before = project.ask()
    step = project.plan()
    assert step.safety is Safety.SAFE
    project.apply(step)
    assert project.ask() == before
    app = project.load()
    assert are_databases_async(app)
    with app.app_context():
        path = app.extensions["sqlalchemy"].engine.url.database
    assert path == f"{app.instance_path}/shop.db"


ENGINE = """\
import os

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

import flasync

here = os.path.dirname(os.path.abspath(__file__))
URL = {url}
engine = sa.create_engine(URL{options})
app = Flask(__name__)


@app.get("/")
def index():
    with Session(engine) as session:
        return str(session.scalar(sa.text("SELECT 42")))
"""


def test_plain_engine(project: Project) -> None:
    """An engine without Flask-SQLAlchemy gets its driver by the URL it is made with."""
    options = ', connect_args={"check_same_thread": False}, pool_size=3'
    project.write(app=ENGINE.format(url="f'sqlite:///{here}/shop.db'", options=options))
    assert project.ask() == "42"
    step = project.plan()
    assert (list_texts(step), step.frees) == ([SQLITE], True)
    project.apply(step)
    assert project.ask() == "42"
    assert sys.modules["app"].engine.dialect.is_async


@pytest.mark.parametrize(
    "options",
    [
        ", poolclass=sa.QueuePool",
        ", **{}",
        ", isolation_level='SERIALIZABLE'",
        ", connect_args={**{}}",
    ],
)
def test_plain_engine_with_options(project: Project, options: str) -> None:
    """An engine with options that another driver may not take is left alone."""
    project.write(app=ENGINE.format(url="f'sqlite:///{here}/shop.db'", options=options))
    step = project.plan()
    assert not step.frees
    assert "is made with the option" in step.reason


@pytest.mark.parametrize(
    ("backend", "driver"),
    [("mssql", "pyodbc"), ("oracle", "oracledb"), ("mysql", "mysqlconnector")],
)
def test_unknown_driver(backend: str, driver: str) -> None:
    """A driver whose async twin nobody has tried has none."""
    assert choose_driver(backend, driver) is None


def test_no_database(project: Project) -> None:
    """An app without a database needs nothing."""
    project.write(app="from flask import Flask\n\napp = Flask(__name__)\n")
    assert project.plan() == DatabaseStep()


# --- servers -----------------------------------------------------------------------------------


@pytest.fixture
def build_server_app(project: Project) -> Iterator[Callable[..., None]]:
    """Write an app on a database server."""

    def write(url: str, *lines: str) -> None:
        project.write(app=build_app(f"app.config['SQLALCHEMY_DATABASE_URI'] = {url!r}", *lines))

    yield write


@pytest.mark.parametrize("driver", ["", "+psycopg2", "+psycopg"])
def test_postgresql(
    project: Project, build_server_app: Callable[..., None], postgres: str, driver: str
) -> None:
    """psycopg's async face takes the place of both of its sync drivers."""
    build_server_app(postgres.replace("postgresql", f"postgresql{driver}", 1))
    before = project.ask()
    step = project.plan()
    assert list_texts(step) == ["postgresql+psycopg_async"]
    assert step.safety is Safety.SAFE
    project.apply(step)
    assert project.ask() == before == "42"
    assert are_databases_async(project.load())


def test_mariadb(project: Project, build_server_app: Callable[..., None], mariadb: str) -> None:
    """A fork of PyMySQL takes its place."""
    build_server_app(f"mysql+pymysql://root@127.0.0.1:3306/{mariadb}")
    before = project.ask()
    step = project.plan()
    assert list_texts(step) == ["mysql+asyncmy"]
    project.apply(step)
    assert project.ask() == before == "42"
    assert are_databases_async(project.load())


@pytest.mark.parametrize(
    ("lines", "safety"),
    [
        (["def now(): return db.session.scalar(sa.text('SELECT now()'))"], Safety.SAFE),
        (["def f(x): return db.session.scalar(sa.text('SELECT :x'), {'x': x})"], Safety.UNSAFE),
        (["def f(sql): return db.session.scalar(sa.text(sql))"], Safety.UNSAFE),
    ],
)
def test_own_sql(
    project: Project, build_server_app: Callable[..., None], lines: list[str], safety: Safety
) -> None:
    """psycopg takes parameters in fewer places of plain SQL than psycopg2."""
    build_server_app("postgresql+psycopg2://localhost/shop", *lines)
    assert project.plan().safety is safety


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["import psycopg2", "def f(error): return psycopg2.errors.lookup(error)"], "psycopg2"),
        (["def f(error): return error.orig.pgcode"], "`pgcode`"),
        (["app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'executemany_mode': 'values_only'}"],
         "`executemany_mode`"),
        (["def copy(f): db.session.connection().connection.cursor().copy_expert('', f)"], "cursor"),
    ],
)  # fmt: skip
def test_psycopg2_itself(
    project: Project, build_server_app: Callable[..., None], lines: list[str], reason: str
) -> None:
    """Code that needs psycopg2 itself keeps it."""
    build_server_app("postgresql+psycopg2://localhost/shop", *lines)
    step = project.plan()
    assert not step.frees
    assert reason in step.reason
