"""Small projects that are written, imported, planned for, and run before and after."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import flask

from flasync.serving.location import load_flask_app
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    FunctionChange,
    Left,
    Plan,
    Stage,
    StageKind,
)
from flasync.toolkit.migration.planning import Planner, Setbacks, Wish
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import render
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.rules import Program
from flasync.toolkit.scanning import build_program, build_report

_ASKING = """\
import json
import sys

import app

client = app.app.test_client()
answers = [client.get(path) for path in sys.argv[1:]]
print(json.dumps([(answer.status_code, answer.text) for answer in answers]))
"""


@contextmanager
def work_in(root: Path) -> Iterator[None]:
    """Work in a folder whose modules can be imported, and are forgotten afterwards."""
    before, path, bytecode = Path.cwd(), list(sys.path), sys.dont_write_bytecode
    os.chdir(root)
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        _forget(root)
        os.chdir(before)
        sys.path[:] = path
        sys.dont_write_bytecode = bytecode


def load(root: Path, files: dict[str, str]) -> flask.Flask:
    """Write files, and import the app of `app.py` anew."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    _forget(root)
    importlib.invalidate_caches()
    return load_flask_app("app")


def _forget(root: Path) -> None:
    inside = os.path.join(str(root), "")
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(inside):
            del sys.modules[name]


@dataclass(frozen=True)
class Planned:
    """What is planned for one small project.

    Attributes:
        root: Its folder.
        program: What a scan found.
        planner: What plans.
        plan: Its plan.
        wish: What was wished for.
    """

    root: Path
    program: Program
    planner: Planner
    plan: Plan
    wish: Wish

    @cached_property
    def changes(self) -> list[Change]:
        """All changes, each as often as a stage has it."""
        return [change for stage in self.plan.stages for change in stage.changes]

    @property
    def route_stages(self) -> list[Stage]:
        """The stages that move routes."""
        return [stage for stage in self.plan.stages if stage.kind is StageKind.ROUTE]

    @property
    def moved(self) -> list[str]:
        """The ids of the routes that move."""
        return [route for stage in self.route_stages for route in stage.routes]

    def find_left(self, route: str = "GET /") -> Left:
        """Return why a route stays."""
        return next(left for left in self.plan.left if left.route == route)

    @property
    def colours(self) -> dict[str, str]:
        """How each function changes, by its name."""
        changes = (change for change in self.changes if isinstance(change, FunctionChange))
        return {change.name: change.colour.value for change in changes}

    @property
    def calls(self) -> dict[tuple[str, int], tuple[str, str]]:
        """Each call that is replaced: its file and line, and what it calls by which way."""
        changes = (change for change in self.changes if isinstance(change, CallChange))
        return {
            (change.span.file, change.span.start[0]): (change.name, change.way.value)
            for change in changes
        }

    def render(self) -> dict[str, str]:
        """Return the files that change, as they become."""
        files = self.planner.files
        http = self.planner.choose_http(self.wish).choice
        return {
            file.name: text
            for file in files
            if (
                text := render(
                    file, self.changes, load_recipes(), files.exported, files=files, http=http
                )
            )
            != file.text
        }

    def write(self) -> None:
        """Carry the plan out."""
        for name, text in self.render().items():
            (self.root / name).write_text(text)

    def run(self, *paths: str) -> list[tuple[int, str]]:
        """Carry the plan out, and return the answers to GET requests of a process of its own."""
        self.write()
        answers = self.call("-c", _ASKING, *paths)
        return [(status, text) for status, text in json.loads(answers)]

    def call(self, *arguments: str) -> str:
        """Run Python in the project's folder; return what it prints, which is no warning."""
        command = [sys.executable, "-P", "-B", *arguments]
        environment = os.environ | {"PYTHONPATH": str(self.root)}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout


def plan_for(
    root: Path, files: dict[str, str], wish: Wish | None = None, setbacks: Setbacks | None = None
) -> Planned:
    """Return the plan for a small project with an `app.py`."""
    app = load(root, files)
    program = build_program(app, root)
    wish = wish or Wish()
    planner = Planner(program, build_report(program, ProjectSettings()))
    return Planned(root, program, planner, planner.plan(wish, setbacks), wish)
