"""The app becomes a flasync.Flask, or is wrapped: in real apps, whose views then run."""

import importlib
import itertools
import subprocess
import sys
import textwrap
from pathlib import Path

import flask
import pytest
from tests.toolkit.migration.edits import apply_edits

import flasync
from flasync.toolkit.migration.app_class import (
    CLASS_TITLE,
    WRAP_TITLE,
    AppClass,
    plan_app_class,
)
from flasync.toolkit.migration.plan import Safety
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.suite_reading import read_suite
from flasync.toolkit.scanning import build_program, build_static_program

NUMBERS = itertools.count()

# An app whose async view, hook and waiting sync view run, without asgiref, in the test client.
CHECK = """
import asyncio, importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "asgiref":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Block())
import flask
from flasync import await_
from {module} import app

@app.before_request
async def before():
    flask.g.who = "shop"

@app.get("/loop")
async def loop():
    await asyncio.sleep(0)
    return flask.g.who

@app.get("/waits")
def waits():
    return await_(asyncio.sleep(0, "waited"))

client = app.test_client()
print(client.get("/loop").text, client.get("/waits").text)
"""


class Project:
    """An app in files of a folder, imported under a name of its own.

    Args:
        root: The folder.
        text: The module with the app; MODULE in it is its own name.
        others: Further modules.
    """

    def __init__(self, root: Path, text: str, **others: str) -> None:
        self.root = root
        self.module = f"shop_{next(NUMBERS)}"
        self.file = f"{self.module}.py"
        self.files = {f"{name}.py": textwrap.dedent(other) for name, other in others.items()}
        self.files[self.file] = textwrap.dedent(text)
        for name, content in self.files.items():
            (root / name).write_text(content)

    def plan(self, *, static: bool = False) -> AppClass:
        if static:
            program = build_static_program(self.root)
        else:
            app = importlib.import_module(self.module).app
            program = build_program(app, self.root)
        return plan_app_class(program, ProjectFiles(program.sources, read_suite(self.root)))

    def change(self, *, static: bool = False) -> dict[str, str]:
        """Carry the plan out; return the files that changed."""
        found = self.plan(static=static)
        assert (found.reason, found.advice) == ("", "")
        assert {change.safety for change in found.changes} <= {Safety.SAFE}
        edits = [change.edit for change in found.changes]
        changed = {}
        for name in {edit.file for edit in edits}:
            own = [edit for edit in edits if edit.file == name]
            changed[name] = apply_edits(self.files[name], own)
            (self.root / name).write_text(changed[name])
        return changed

    def run(self) -> str:
        """Run the app as it is now in a process of its own."""
        process = subprocess.run(
            [sys.executable, "-c", CHECK.format(module=self.module)],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout


@pytest.fixture(autouse=True)
def import_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(flasync.__file__).parent.parent))


# Files as a diff shows them: what begins with + is added, with - is gone.
CHANGED = {
    "alone": """
        - from flask import Flask
        + from flasync import Flask

          app = Flask(__name__)
        """,
    "with others": """
          import os
        - from flask import Flask, request
        + from flask import request
          from flask.views import View
        + from flasync import Flask
          from sqlite3 import connect

          app = Flask(__name__)
        """,
    "in several lines": """
          from flask import (
              request,
        -     Flask,  # noqa: F401
              g,
          )
        + from flasync import Flask  # noqa: F401

          app = Flask(__name__)
        """,
    "the last of several lines": """
          from flask import (
              request,  # the request
        -     Flask,
          )
        + from flasync import Flask

          app = Flask(__name__)
        """,
    "under another name": """
        - from flask import Flask as F, g
        + from flask import g
        + from flasync import Flask as F

          app = F(__name__)
        """,
    "by its module": """
          import os
          import flask
        + import flasync
          import sqlite3

        - app = flask.Flask(__name__)
        + app = flasync.Flask(__name__)
        """,
    "in a factory": """
          def create_app() -> "Flask":
        -     from flask import Flask, g
        +     from flask import g
        +     from flasync import Flask

              app = Flask(__name__)
              return app


          app = create_app()
        """,
    "in one line with more": """
        - def create(): from flask import Flask, g; return Flask(__name__)
        + def create(): from flasync import Flask; from flask import g; return Flask(__name__)


          app = create()
        """,
    "a star": """
          from flask import *
        + import flasync

        - app = Flask(__name__)
        + app = flasync.Flask(__name__)
        """,
    "a subclass": """
        - from flask import Flask
        + from flasync import Flask


          class Shop(Flask):
              def make_default_options_response(self):
                  return super().make_default_options_response()


          app = Shop(__name__)
        """,
    "a subclass of a subclass": """
          import flask
        + import flasync


        - class Base(flask.Flask):
        + class Base(flasync.Flask):
              pass


          class Shop(Base):
              pass


          app = Shop("shop")
        """,
}


def split_diff(diff: str) -> tuple[str, str]:
    lines = textwrap.dedent(diff).strip("\n").split("\n")
    before = "".join(line[2:] + "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[2:] + "\n" for line in lines if not line.startswith("-"))
    return before, after


@pytest.mark.parametrize("diff", CHANGED.values(), ids=CHANGED)
def test_class(tmp_path: Path, diff: str) -> None:
    """The import or the name changes where the app is made, nothing else does, and it runs."""
    before, after = split_diff(diff)
    project = Project(tmp_path, before)
    assert project.change() == {project.file: after}
    assert project.run() == "shop waited\n"
    assert project.plan().title == CLASS_TITLE


WRAPPED = {
    "at the top": """
          from apiflask import APIFlask
        + import flasync

          app = APIFlask(__name__)  # the app
        + asgi_app = flasync.ASGI(app)
        """,
    "in a factory": """
          import apiflask
        + import flasync


          def create_app():
              app = apiflask.APIFlask(
                  __name__,
              )
        +     flasync.ASGI(app)
              return app


          app = create_app()
        """,
    "in the middle of something": """
          from apiflask import APIFlask
        + import flasync


          class Shop(APIFlask):
              pass


          def create_app():
        -     return Shop(__name__)
        +     return flasync.ASGI(Shop(__name__)).app


          app = create_app()
        """,
    "a name that is taken": """
          from apiflask import APIFlask
        + import flasync

          asgi_app = 1
          app: APIFlask = APIFlask(__name__)
        + flasync.ASGI(app)
        """,
    "called in its own way": """
          from flask import Flask
        + import flasync


          class Shop(Flask):
              def __call__(self, environ, start_response):
                  return super().__call__(environ, start_response)


          app = Shop(__name__)
        + asgi_app = flasync.ASGI(app)
        """,
}


@pytest.mark.parametrize("diff", WRAPPED.values(), ids=WRAPPED)
def test_wrapped(tmp_path: Path, diff: str) -> None:
    """An app that must keep its class is wrapped where it is made, and its async views run."""
    before, after = split_diff(diff)
    project = Project(tmp_path, before)
    found = project.plan()
    assert found.title == WRAP_TITLE
    assert found.served == (f"{project.module}:asgi_app" if "asgi_app = f" in after else "")
    assert project.change() == {project.file: after}
    assert project.run() == "shop waited\n"


@pytest.mark.parametrize(
    "text",
    [
        "import flasync\napp = flasync.Flask(__name__)\n",
        "import flask, flasync\napp = flask.Flask(__name__)\nasgi = flasync.ASGI(app)\n",
    ],
    ids=["class", "wrapped"],
)
def test_done_before(tmp_path: Path, text: str) -> None:
    """An app that flasync serves already is left."""
    assert Project(tmp_path, text).plan() == AppClass()


def test_which_of_several(tmp_path: Path) -> None:
    """Of several apps in a project, the one that was scanned changes; so do no annotations."""
    project = Project(
        tmp_path,
        "from flask import Flask\napp = Flask(__name__)\n",
        admin_site="from flask import Flask\nadmin = Flask(__name__)\n",
        typed="from flask import Flask\ndef init(app: Flask) -> None: ...\n",
        test_shop="from flask import Flask\ndef test(): Flask(__name__)\n",
    )
    assert project.change().keys() == {project.file}


def test_by_way_of_the_project(tmp_path: Path) -> None:
    """A class that comes through another module of the project is known by the live module."""
    project = Project(
        tmp_path,
        "from shop_compat import Flask\n\napp = Flask(__name__)\n",
        shop_compat="from flask import Flask\n",
    )
    assert project.change() == {
        project.file: (
            "from shop_compat import Flask\nimport flasync\n\napp = flasync.Flask(__name__)\n"
        )
    }
    sys.modules.pop("shop_compat")


def test_made_by_a_library(tmp_path: Path) -> None:
    """An app that a library has made is left, with what to do by hand."""
    text = "import importlib\nFlask = importlib.import_module('flask')\napp = Flask.Flask('x')\n"
    project = Project(tmp_path, text.replace("Flask.Flask('x')", "vars(Flask)['Flask']('x')"))
    found = project.plan()
    assert found.changes == ()
    assert "No file of the project makes the app" in found.reason
    assert "flasync.ASGI(app)" in found.advice


def test_name_that_means_something_else(tmp_path: Path) -> None:
    """Where `flasync` is another thing, nothing is changed."""
    found = Project(tmp_path, "import flask\nflasync = 1\napp = flask.Flask(__name__)\n").plan()
    assert found.changes == ()
    assert "means something else" in found.reason


def test_local_name(tmp_path: Path) -> None:
    """A parameter that is called like the class is not the class."""
    project = Project(
        tmp_path,
        """
        import flask
        from flask import Flask

        def build(Flask):
            return Flask()

        app = flask.Flask(__name__)
        """,
    )
    assert "return Flask()" in project.change()[project.file]


def test_static(tmp_path: Path) -> None:
    """Without the live app, every app that is made outside of the tests changes."""
    project = Project(tmp_path, "from flask import Flask\napp = Flask(__name__)\n")
    assert project.change(static=True)[project.file].startswith("from flasync import Flask\n")


def test_class_is_still_flasks(tmp_path: Path) -> None:
    """What checks for a flask.Flask goes on finding one."""
    project = Project(tmp_path, "from flask import Flask\napp = Flask(__name__)\n")
    project.change()
    importlib.invalidate_caches()
    module = importlib.reload(importlib.import_module(project.module))
    assert isinstance(module.app, flask.Flask)
    assert isinstance(module.app, flasync.Flask)
