"""What `flasync migrate` does once its arguments are checked: scan, plan, carry out, print."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import click

from flasync.cli.migrate_question import StageQuestion
from flasync.cli.report_file import write_page
from flasync.cli.scan_progress import ScanProgress
from flasync.errors import DirtyProjectError
from flasync.serving.location import load_flask_app
from flasync.toolkit.finding import ScanReport, to_json
from flasync.toolkit.migration.git_history import find_repository, list_changes, list_untracked
from flasync.toolkit.migration.migrating import Manner, Migration
from flasync.toolkit.migration.outcome import MigrationReport, list_lost
from flasync.toolkit.migration.planning import Planner, Wish
from flasync.toolkit.project_settings import load_project_settings
from flasync.toolkit.report.migration_html import build_migration_html
from flasync.toolkit.report.migration_text import print_migration
from flasync.toolkit.report.route_selection import select_routes, suggest_routes
from flasync.toolkit.report.terminal import build_console
from flasync.toolkit.report.wording import count
from flasync.toolkit.scanning import build_program, build_report

_EXIT_UNDONE = 1
# Raised when a key changes its meaning or goes away; new keys do not count.
_JSON_VERSION = 1
# Files named in the refusal of a dirty project.
_DIRTY_NAMED = 5


@dataclass(frozen=True)
class MigrateRun:
    """One run of `flasync migrate`; the attributes are the options of the command."""

    import_path: str | None
    root: Path
    routes: tuple[str, ...]
    all_ready: bool
    blueprints: tuple[str, ...]
    write: bool
    test: str
    bisect: bool
    install: bool
    interactive: bool
    commit: bool
    allow_dirty: bool
    unsafe: bool
    http: str | None
    diff: bool
    as_json: bool
    html: Path | None
    verbose: bool

    def run(self) -> int:
        """Migrate, print the report, and return the exit code.

        Raises:
            AppNotFoundError: There is no app.
            AppStartError: The app did not start.
            DirtyProjectError: Git has changes that are not committed, or does not know a file that
                is to change.
            MigrationError: A file, the tests or git stood in the way.
            ProjectSettingError: A setting is wrong.
        """
        is_guarded = self.write and not self.allow_dirty and find_repository(self.root) is not None
        if is_guarded:
            self._refuse(list_changes(self.root), "has changes that git does not have")
        with ScanProgress() as progress:
            progress("Importing the app", 0, 0)
            app = load_flask_app(self.import_path)
            settings = load_project_settings(self.root)
            path = self.import_path or app.import_name
            program = build_program(app, self.root, path=path, settings=settings, progress=progress)
            report = build_report(program, settings)
            wish = Wish(
                self._choose_routes(report), self.http, self.unsafe, all_ready=self.all_ready
            )
            manner = Manner(
                write=self.write,
                test=self.test,
                bisect=self.bisect,
                install=self.install,
                commit=self.commit,
                check=self._check_tracked if is_guarded else lambda files: None,
                accept=StageQuestion(progress) if self.interactive else lambda stage, diff: True,
                tell=progress,
            )
            migration = Migration(Planner(program, report), self.root.resolve(), path, manner)
            done = self._carry_out(migration, wish)
        self._publish(done)
        return _EXIT_UNDONE if list_lost(done) else 0

    def _carry_out(self, migration: Migration, wish: Wish) -> MigrationReport:
        try:
            return migration.run(wish)
        except (KeyboardInterrupt, SystemExit):
            kept = count(len(migration.standing), "step") if self.write else "no step"
            click.echo(
                f"Interrupted. What was under way is undone; {kept} before it stand."
                " A second run goes on from there.",
                err=True,
            )
            raise

    def _check_tracked(self, files: Collection[str]) -> None:
        """Refuse to change what git could not bring back."""
        self._refuse(list_untracked(self.root, files), "has code to change that git does not track")

    def _refuse(self, files: tuple[str, ...], why: str) -> None:
        if files:
            names = ", ".join(files[:_DIRTY_NAMED])
            raise DirtyProjectError(
                f"{str(self.root)!r} {why}, in {count(len(files), 'file')}: {names}. Commit that,"
                " so that what migrate does can be told from it and taken back, or go on with"
                " --allow-dirty"
            )

    def _choose_routes(self, report: ScanReport) -> frozenset[str] | None:
        if not self.routes and not self.blueprints:
            return None
        chosen: set[str] = set()
        for wanted in self.routes:
            found = {route.id for route in select_routes(report, wanted).routes}
            if not found:
                close = suggest_routes(report, wanted)
                hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
                raise click.BadParameter(
                    f"no route of {report.app} is {wanted!r}.{hint}", param_hint="--route"
                )
            chosen |= found
        for blueprint in self.blueprints:
            found = {
                route.id
                for route in report.routes
                if f"{route.endpoint.rpartition('.')[0]}.".startswith(f"{blueprint}.")
            }
            if not found:
                names = sorted(
                    {route.endpoint.rpartition(".")[0] for route in report.routes} - {""}
                )
                raise click.BadParameter(
                    f"no route is in the blueprint {blueprint!r}. There are: {', '.join(names)}",
                    param_hint="--blueprint",
                )
            chosen |= found
        return frozenset(chosen)

    def _publish(self, done: MigrationReport) -> None:
        if self.html is not None:
            write_page(self.html, build_migration_html(done, self.import_path))
        if self.as_json:
            click.echo(json.dumps({"version": _JSON_VERSION, "moved": done.moved, **to_json(done)}))
        elif self.html is None:
            print_migration(
                done,
                build_console(),
                import_path=self.import_path,
                diff=self.diff,
                verbose=self.verbose,
            )
