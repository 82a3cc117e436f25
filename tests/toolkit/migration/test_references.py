"""Who mentions a function: which helpers may become async, and which views are called by others."""

import ast
import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasync.serving.location import load_flask_app
from flasync.toolkit.migration.references import Obstacle, References
from flasync.toolkit.migration.suite_reading import read_suite
from flasync.toolkit.scanning import build_program
from flasync.toolkit.sources import SourceFile

APP = """\
import functools
import time

import flask

app = flask.Flask(__name__)


def load(title):
    time.sleep(0.01)
    return title


"""
BOOKS = """\
import time


def load(title):
    time.sleep(0.01)
    return title
"""
VIEW = """
@app.get("/")
def index():
    return load("a")
"""
REPOSITORY = """\
import time

import flask

app = flask.Flask(__name__)


class Books{bases}:
    def load(self, title):
        time.sleep(0.01)
        return title

    def find(self, title):
        return self.load(title)


books = Books()


@app.get("/")
def index():
    return books.find("a") + books.load("b")


"""

Ask = Callable[..., Obstacle | None]


class Project:
    """A project of a test: its files are written, and its app imported."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self, files: dict[str, str]) -> tuple[References, dict[str, object]]:
        """Return the references of a project, and its functions by their qualified names."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        program = build_program(load_flask_app("app"), self.root)
        functions = {node.name: node for node in (*program.functions, *program.outside)}
        return References(program, read_suite(self.root)), dict(functions)

    def ask(self, files: dict[str, str], name: str, plain: tuple[str, ...] = ()) -> Obstacle | None:
        """Ask about a helper, while every function but the `plain` ones is or becomes async."""
        references, functions = self.open(files)

        def awaiting(source: SourceFile, tree: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
            assert (self.root / source.name).exists()
            return tree.name not in plain

        return references.find_obstacle(functions[name], awaiting)  # type: ignore[arg-type]

    def ask_view(self, files: dict[str, str], name: str = "app.index") -> Obstacle | None:
        """Ask about a view."""
        references, functions = self.open(files)
        return references.find_view_obstacle(functions[name])  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project in the current directory; afterwards its modules are forgotten."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(root)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield Project(root)
    inside = os.path.join(str(root), "")
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(inside):
            del sys.modules[name]


# Helpers that may become async

FREE = {
    "called by a view": {"app.py": APP + VIEW},
    "called by a helper": {
        "app.py": APP
        + """
def load_all():
    return "".join([load(title) for title in "ab"])


@app.get("/")
def index():
    return load_all() + load("c")
"""
    },
    "in expressions of all kinds": {
        "app.py": APP
        + """
@app.get("/")
def index():
    if load("a") and not load("b"):
        flask.abort(404)
    for letter in load("c"):
        flask.g.letter = f"{load('d')}{letter}"
    with open(load("/dev/null")) as file:
        return {"e": load("e"), "f": file.read(), **{key: load(key) for key in "gh"}}
"""
    },
    "calls itself": {
        "app.py": """\
import time

import flask

app = flask.Flask(__name__)


def load(title, again=True):
    time.sleep(0.01)
    return load(title, again=False) if again else title

"""
        + VIEW
    },
    "imported elsewhere": {
        "shop/__init__.py": "from shop.books import load\n\n__all__ = ['load']\n",
        "shop/books.py": BOOKS,
        "app.py": """\
import flask
import shop
from shop import books
from shop import load as load

app = flask.Flask(__name__)


@app.get("/")
def index():
    return load("a") + shop.load("b") + books.load("c") + shop.books.load("d")
""",
    },
    "namesakes everywhere": {
        "other.py": """\
import json


def load(text):
    return json.loads(text)


LOADED = list(map(load, ["1"]))
""",
        "app.py": APP
        + """
import json
import other


class Reader:
    def load(self):
        return self


def read(load):
    return load


def count():
    load = [1, 2]
    load.sort(key=abs)
    return str(load) + str([load for load in "ab"])


@app.get("/")
def index():
    other.load("1")
    json.load(open("/dev/null")) if flask.g.get("load") else None
    reader = Reader()
    reader.load()
    return load("a") + read("b") + count() + str({"load": 1}["load"])
""",
    },
    "a keyword of that name": {
        "app.py": APP
        + """
@app.get("/")
def index():
    return flask.render_template_string("{{ load }}", load=load("a"))
"""
    },
    "a template variable of that name": {
        "templates/index.html": "{{ load }}{% if load %}{% endif %}",
        "app.py": APP
        + """
@app.get("/")
def index():
    return flask.render_template("index.html", load=load("a"))
""",
    },
    "an endpoint of that name": {
        "app.py": APP
        + """
@app.get("/")
def index():
    return flask.url_for("load") + load("a") if flask.request.endpoint == "load" else load("b")
"""
    },
    "a test of something else": {
        "tests/test_app.py": "def test_index(client):\n    client.get('/load')\n",
        "app.py": APP + VIEW,
    },
    "a function within a view": {
        "app.py": APP
        + """
@app.get("/")
def index():
    def fetch(title):
        return load(title)

    return fetch("a")
"""
    },
}


@pytest.mark.parametrize("files", FREE.values(), ids=FREE)
def test_free(files: dict[str, str], project: Project) -> None:
    """A helper may become async when all that mentions it are calls that can be awaited."""
    name = "shop.books.load" if "shop/books.py" in files else "app.load"
    assert project.ask(files, name) is None


METHODS_FREE = {
    "a plain class": REPOSITORY.format(bases=""),
    "of an abstract base": "import abc\n" + REPOSITORY.format(bases="(abc.ABC)"),
    "a child that overrides another": REPOSITORY.format(bases="")
    + "class Papers(Books):\n    def count(self):\n        return 1\n",
    "a namesake in another class": REPOSITORY.format(bases="")
    + "class Papers:\n    def load(self):\n        return 1\n",
    "a namesake of a library": REPOSITORY.format(bases="")
    + "import json\n\n\ndef read(file):\n    return json.load(file)\n",
}


@pytest.mark.parametrize("text", METHODS_FREE.values(), ids=METHODS_FREE)
def test_free_method(text: str, project: Project) -> None:
    """So may a method that no other class and no library knows."""
    assert project.ask({"app.py": text}, "app.Books.load") is None


# Helpers that stay as they are

BOUND = {
    "decorated": (
        "it is decorated",
        {"app.py": APP.replace("def load", "@functools.cache\ndef load") + VIEW},
    ),
    "async already": (
        "it is async already",
        {
            "app.py": APP.replace("def load", "async def load")
            + VIEW.replace("def", "async def").replace("load(", "await load(")
        },
    ),
    "a generator": (
        "it is a generator",
        {"app.py": APP.replace("return title", "yield title") + VIEW},
    ),
    "passed on": (
        "without a call",
        {"app.py": APP + VIEW.replace('load("a")', 'str(list(map(load, "ab"))) + load("c")')},
    ),
    "kept in a dict": (
        "without a call",
        {"app.py": APP + 'LOADERS = {"a": load}\n' + VIEW},
    ),
    "registered": ("without a call", {"app.py": APP + "app.before_request(load)\n" + VIEW}),
    "a template filter": (
        "without a call",
        {"app.py": APP + 'app.jinja_env.filters["load"] = load\n' + VIEW},
    ),
    "given to a template": (
        "without a call",
        {
            "app.py": APP
            + """
@app.get("/")
def index():
    return flask.render_template_string("{{ load('a') }}", load=load)
"""
        },
    ),
    "an attribute of it": ("without a call", {"app.py": APP + "load.limit = 1\n" + VIEW}),
    "assigned again": (
        "without a call",
        {"app.py": APP + "if app.debug:\n    load = functools.cache(load)\n" + VIEW},
    ),
    "defined twice": (
        "more than once",
        {"app.py": APP + "if app.debug:\n\n    def load(title):\n        return title\n\n" + VIEW},
    ),
    "under another name": (
        "imported as `fetch`",
        {
            "books.py": BOOKS,
            "app.py": """\
import flask
from books import load as fetch

app = flask.Flask(__name__)


@app.get("/")
def index():
    return fetch("a")
""",
        },
    ),
    "in a lambda": (
        "a lambda calls it",
        {"app.py": APP + VIEW.replace('load("a")', '(lambda: load("a"))()')},
    ),
    "in a generator expression": (
        "a generator expression",
        {"app.py": APP + VIEW.replace('load("a")', '"".join(load(x) for x in "ab")')},
    ),
    "in a default value": (
        "defined",
        {"app.py": APP + 'def show(title=load("a")):\n    return title\n' + VIEW},
    ),
    "at import": ("imported", {"app.py": APP + 'FIRST = load("a")\n' + VIEW}),
    "in a constructor": (
        "cannot wait",
        {
            "app.py": APP
            + """
class Book:
    def __init__(self, title):
        self.text = load(title)


@app.get("/")
def index():
    return Book("a").text
"""
        },
    ),
    "in a function within": (
        "`fetch` calls it",
        {
            "app.py": APP
            + """
@app.get("/")
def index():
    def fetch():
        return load("a")

    return fetch()
"""
        },
    ),
    "what it returns is awaited": (
        "is awaited",
        {
            "app.py": APP.replace("return title", "return fetch()")
            + """
async def fetch():
    return "a"


@app.get("/")
async def index():
    return await load("a")
"""
        },
    ),
    "in code that nobody reaches": (
        "not known whether",
        {"app.py": APP + 'def unused():\n    return load("a")\n' + VIEW},
    ),
    "in a file that is not imported": (
        "imported",
        {"worker.py": 'from app import load\n\nload("a")\n', "app.py": APP + VIEW},
    ),
    "in a script, by the module": (
        "not known whether",
        {"worker.py": 'import app\n\n\ndef run():\n    app.load("a")\n', "app.py": APP + VIEW},
    ),
    "by getattr": (
        "a text names it",
        {
            "app.py": APP
            + "import app as me\n"
            + VIEW.replace('load("a")', 'getattr(me, "load")("a")')
        },
    ),
    "by globals": (
        "by name",
        {"app.py": APP + VIEW.replace('load("a")', 'load("a") + str(len(globals()))')},
    ),
    "a template, by an object": (
        "a template mentions it",
        {
            "templates/index.html": "{{ books.load('a') }}",
            "app.py": APP + VIEW,
        },
    ),
    "a template in a text": (
        "a template mentions it",
        {"app.py": APP + "PAGE = \"{{ books|map(attribute='load') }}\"\n" + VIEW},
    ),
    "tests that call it": (
        "the tests mention it",
        {
            "tests/test_app.py": "from app import load\n\n\ndef test_load():\n    load('a')\n",
            "app.py": APP + VIEW,
        },
    ),
    "tests that replace it": (
        "the tests mention it",
        {
            "tests/test_app.py": "def test_load(mocker):\n    mocker.patch('app.load')\n",
            "app.py": APP + VIEW,
        },
    ),
    "a test that cannot be read": (
        "cannot be read",
        {"tests/test_app.py": "def test_load(:\n    load('a')\n", "app.py": APP + VIEW},
    ),
    "a file that cannot be read": (
        "cannot be read",
        {"old.py": "print load('a')\n", "app.py": APP + VIEW},
    ),
    "a command": (
        "`show` calls it",
        {"app.py": APP + '@app.cli.command("x")\ndef show():\n    load("a")\n\n' + VIEW},
    ),
}


@pytest.mark.parametrize(("reason", "files"), BOUND.values(), ids=BOUND)
def test_bound(reason: str, files: dict[str, str], project: Project) -> None:
    """One mention that is no such call keeps a helper a plain function."""
    name = "books.load" if "books.py" in files else "app.load"
    obstacle = project.ask(files, name, plain=("show", "fetch"))
    assert obstacle is not None
    assert reason in obstacle.reason
    assert (project.root / obstacle.place.file).is_file()


METHODS_BOUND = {
    "a child overrides it": (
        "`Papers` overrides it",
        REPOSITORY.format(bases="") + "class Papers(Books):\n    load = None\n",
    ),
    "it overrides": (
        "it overrides that of `Base`",
        "class Base:\n    def load(self, title):\n        return title\n\n\n"
        + REPOSITORY.format(bases="(Base)"),
    ),
    "a library's class": (
        "`Thread`, which is no class of the project",
        "import threading\n" + REPOSITORY.format(bases="(threading.Thread)"),
    ),
    "looked up by name": (
        "looks up methods by name",
        REPOSITORY.format(bases="").replace(
            "self.load(title)", "self.load(title) + getattr(self, title, '')"
        ),
    ),
    "a bound method": ("without a call", REPOSITORY.format(bases="") + "FIND = books.load\n"),
    "on what nobody knows": (
        "not known whether",
        REPOSITORY.format(bases="") + "def use(thing):\n    return thing.load('a')\n",
    ),
    "one of two": (
        "not known whether",
        REPOSITORY.format(bases="")
        + """
class Papers:
    def load(self, title):
        return title


@app.get("/b")
def b():
    return (books if app.debug else Papers()).load("b")
""",
    ),
    "a special one": (
        "Python calls it",
        REPOSITORY.format(bases="").replace("load", "__call__"),
    ),
    "a property": (
        "it is decorated",
        REPOSITORY.format(bases="").replace(
            "    def load(self, title)", "    @property\n    def load(self)"
        ),
    ),
}


@pytest.mark.parametrize(("reason", "text"), METHODS_BOUND.values(), ids=METHODS_BOUND)
def test_bound_method(reason: str, text: str, project: Project) -> None:
    """What other classes, libraries or texts may do with a method keeps it as it is."""
    name = "app.Books.__call__" if "__call__" in text else "app.Books.load"
    obstacle = project.ask({"app.py": text}, name)
    assert obstacle is not None
    assert reason in obstacle.reason


def test_by_import_at_run_time(project: Project) -> None:
    """A module that is imported by a text may be the one that the function is in."""
    text = "import importlib\n\n\ndef run(name):\n    importlib.import_module(name).load('a')\n"
    assert project.ask({"worker.py": text, "app.py": APP + VIEW}, "app.load") is not None


def test_files_left_out_of_scans(project: Project) -> None:
    """Files that a scan excludes may mention a function all the same."""
    files = {
        "legacy.py": "import app\n\nfor title in 'ab':\n    app.load(title)\n",
        "app.py": APP + VIEW,
        "pyproject.toml": '[tool.flasync]\nexclude = ["legacy.py"]\n',
    }
    assert project.ask(files, "app.load") is not None


def test_plain_callers(project: Project) -> None:
    """The answer follows what the callers are, each time it is asked."""
    references, functions = project.open({"app.py": APP + VIEW})
    load = functions["app.load"]
    assert references.find_obstacle(load, lambda source, tree: True) is None  # type: ignore[arg-type]
    obstacle = references.find_obstacle(load, lambda source, tree: False)  # type: ignore[arg-type]
    assert obstacle is not None
    assert obstacle.reason == "`index` calls it and stays a plain function"


# Views

VIEWS_FREE = {
    "by a decorator": APP + VIEW,
    "below a decorator": APP
    + """
def guard(view):
    @functools.wraps(view)
    def guarded(*args, **kwargs):
        return view(*args, **kwargs)

    return guarded


@app.get("/")
@guard
def index():
    return load("a")
""",
    "by add_url_rule": APP
    + "def index():\n    return load('a')\n\n\napp.add_url_rule('/', view_func=index)\n"
    + "app.add_url_rule('/b', 'b', index)\n",
    "by a decorator as a function": APP
    + "def index():\n    return load('a')\n\n\napp.route('/')(index)\n",
    "in the app's table": APP
    + "def index():\n    return load('a')\n\n\napp.add_url_rule('/', 'index')\n"
    + "app.view_functions['index'] = index\n",
    "an endpoint": APP + VIEW + "\n@app.get('/b')\ndef b():\n    return flask.url_for('index')\n",
    "an attribute of it": APP + VIEW + "\nindex.is_public = True\n",
    "a name of another": APP
    + VIEW
    + """
@app.get("/b")
def b():
    index = [1].index
    return str(index(1)) + str("a".index("a"))
""",
}


@pytest.mark.parametrize("text", VIEWS_FREE.values(), ids=VIEWS_FREE)
def test_free_view(text: str, project: Project) -> None:
    """A view that is only registered is called by Flask alone."""
    assert project.ask_view({"app.py": text}) is None


VIEWS_BOUND = {
    "called by another": APP + VIEW + "\n@app.get('/b')\ndef b():\n    return index()\n",
    "called by what nobody reaches": APP + VIEW + "\ndef b():\n    return index()\n",
    "handed on": APP + VIEW + "\nPAGES = [index]\n",
    "wrapped by hand": APP + VIEW + "\ncached = functools.cache(index)\n",
}


@pytest.mark.parametrize("text", VIEWS_BOUND.values(), ids=VIEWS_BOUND)
def test_bound_view(text: str, project: Project) -> None:
    """A view that the project calls or hands on is one that others need as a plain function."""
    obstacle = project.ask_view({"app.py": text})
    assert obstacle is not None
    assert "plain function" in obstacle.reason


@pytest.mark.parametrize(
    ("test", "is_free"),
    [
        ("from app import index\n\n\ndef test_index():\n    index()\n", False),
        ("import app\n\n\ndef test_index():\n    app.index()\n", False),
        ("def test_index(mocker):\n    mocker.patch('app.index')\n", False),
        ("def index(client):\n    client.get('/')\n\n\ndef test_it(client):\n    index(1)\n", True),
        ("from app import app\n\n\ndef test_it(client):\n    client.index('/')\n", True),
        ("from flask import url_for\n\n\ndef test_it(client):\n    url_for('index')\n", True),
    ],
)
def test_view_in_tests(test: str, is_free: bool, project: Project) -> None:
    """Tests that call a view themselves count; their own helpers of that name do not."""
    obstacle = project.ask_view({"tests/test_app.py": test, "app.py": APP + VIEW})
    assert (obstacle is None) is is_free


CLASS_VIEW = """\
import flask
from flask.views import MethodView

app = flask.Flask(__name__)


class Books(MethodView):
    def get(self):
        return {get}

    def post(self):
        return {post}


app.add_url_rule("/", view_func=Books.as_view("books"))
"""


@pytest.mark.parametrize(
    ("get", "post", "is_free"),
    [
        ("flask.request.args.get('a', 'b')", "str({}.get('a'))", True),
        ("'a'", "self.get()", False),
        ("'a'", "Books().get()", False),
        ("'a'", "str(len(list(map(Books.get, [self]))))", False),
    ],
)
def test_method_of_a_class_view(get: str, post: str, is_free: bool, project: Project) -> None:
    """Of a class-based view's methods, only calls through the class or its objects count."""
    text = CLASS_VIEW.format(get=get, post=post)
    obstacle = project.ask_view({"app.py": text}, "app.Books.get")
    assert (obstacle is None) is is_free


@pytest.mark.parametrize("name", ["app.index.<lambda>", "template 'index.html'"])
def test_no_function(name: str, project: Project) -> None:
    """A lambda or a template becomes nothing else."""
    files = {
        "templates/index.html": "{{ 1 }}",
        "app.py": APP
        + """
@app.get("/")
def index():
    return (lambda: load("a"))() + flask.render_template("index.html")
""",
    }
    references, functions = project.open(files)
    names = [known for known in functions if known.startswith(name.partition("'")[0])]
    assert names, sorted(functions)
    node = functions[names[0]]
    assert references.find_obstacle(node, lambda source, tree: True) is not None  # type: ignore[arg-type]
    assert references.find_view_obstacle(node) is not None  # type: ignore[arg-type]
