"""Stages that cannot be written: they are left out with the reason, and the others are made."""

from dataclasses import replace
from pathlib import Path

import pytest

from corpus.importing import imported_app
from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.migrating import Manner, Migration
from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.migration.plan import Plan, Safety, Stage, StageKind, TextChange
from flasync.toolkit.migration.planning import Planner, Setbacks, Wish
from flasync.toolkit.migration.rewriting import RenderError
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.scanning import build_program, build_report

APP = """\
import time

from flask import Flask

app = Flask(__name__)


@app.get("/a")
def a():
    time.sleep(1)
    return "a"


@app.get("/b")
def b():
    time.sleep(2)
    return "b"
"""
# It leaves no Python behind.
BREAKING = TextChange(Edit("app.py", (5, 1), (5, 4), "app ="), Safety.SAFE, "")


class BreakingPlanner(Planner):
    """A planner that breaks the stages of some kind that are about some route."""

    kind = StageKind.ROUTE
    learns = True

    def plan(self, wish: Wish | None = None, setbacks: Setbacks | None = None) -> Plan:
        """The plan, with a change that cannot be made."""
        plan = super().plan(wish, setbacks if self.learns else None)
        return replace(plan, stages=tuple(map(self._break, plan.stages)))

    def _break(self, stage: Stage) -> Stage:
        if stage.kind is not self.kind or (stage.routes and "GET /a" not in stage.routes):
            return stage
        return replace(stage, changes=(BREAKING, *stage.changes))


class ForgetfulPlanner(BreakingPlanner):
    """A planner that learns nothing."""

    learns = False


def migrate(root: Path, planner_class: type[Planner], write: bool) -> MigrationReport:
    """Migrate the app by what another planner says."""
    (root / "app.py").write_text(APP)
    with imported_app(root) as app:
        program = build_program(app, root, path="app")
        planner = planner_class(program, build_report(program, ProjectSettings()))
        return Migration(planner, root.resolve(), "app", Manner(write=write)).run(Wish())


@pytest.mark.parametrize("write", [False, True])
def test_unwritable_route(write: bool, tmp_path: Path) -> None:
    """The route is left with the reason, and the other one moves."""
    report = migrate(tmp_path, BreakingPlanner, write)
    (left,) = (left for left in report.left if left.route == "GET /a")
    assert "cannot be changed as planned" in left.reason
    assert "+async def b" in report.diff
    assert "async def a" not in report.diff
    assert ("async def b" in (tmp_path / "app.py").read_text()) is write


def test_planner_that_does_not_learn(tmp_path: Path) -> None:
    """A plan that keeps such a stage is an error, and not planned for ever."""
    with pytest.raises(RenderError, match=r"app\.py cannot be changed as planned"):
        migrate(tmp_path, ForgetfulPlanner, write=True)
    assert (tmp_path / "app.py").read_text() == APP
