"""Planners of small projects that tests write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.importing import imported_app
from flasync.toolkit.migration.plan import CallChange, FunctionChange, Plan, Stage, TextChange
from flasync.toolkit.migration.planning import Planner
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.rules import Program
from flasync.toolkit.scanning import build_program, build_report

HEAD = """\
import time

import flask

app = flask.Flask(__name__)


"""
LOADING = (
    HEAD
    + """\
def load(title):
    time.sleep(0.01)
    return title


@app.get("/a")
def a():
    return load("a")


"""
)


def write_files(root: Path, files: dict[str, str]) -> None:
    """Write the files of a project."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@contextmanager
def opened_program(root: Path, files: dict[str, str]) -> Iterator[Program]:
    """Give the program of a project with these files, of which `app.py` makes the app."""
    write_files(root, files)
    with imported_app(root) as app:
        yield build_program(app, root, path="app")


@contextmanager
def opened_planner(root: Path, files: dict[str, str]) -> Iterator[Planner]:
    """Give a planner for a project with these files."""
    with opened_program(root, files) as program:
        yield Planner(program, build_report(program, ProjectSettings()))


def find_stage(plan: Plan, id: str) -> Stage:
    """The stage of this id."""
    (stage,) = (stage for stage in plan.stages if stage.id == id)
    return stage


def describe(stage: Stage) -> list[str]:
    """The changes of a stage: "async slow", "rewrite time.sleep", "app.py"."""
    return [_describe(change) for change in stage.changes]


def _describe(change: CallChange | FunctionChange | TextChange) -> str:
    if isinstance(change, FunctionChange):
        return f"{change.colour.value} {change.name.rpartition('.')[2]}"
    if isinstance(change, CallChange):
        return f"{change.way.value} {change.name}"
    return change.edit.file


def get_reason(plan: Plan, route: str) -> str:
    """Why a route stays."""
    (left,) = (left for left in plan.left if left.route == route)
    return left.reason
