"""Migrating a project in this process, by what `flasync migrate --write` does."""

from pathlib import Path

from corpus.importing import imported_app
from flasync.toolkit.migration.migrating import Manner, Migration
from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.migration.planning import Planner, Wish
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.scanning import build_program, build_report


def migrate(root: Path, import_path: str = "app") -> MigrationReport:
    """Migrate all routes of a project that gain by it, and write the files."""
    with imported_app(root, import_path) as app:
        program = build_program(app, root, path=import_path)
        planner = Planner(program, build_report(program, ProjectSettings()))
        return Migration(planner, root.resolve(), import_path, Manner(write=True)).run(Wish())
