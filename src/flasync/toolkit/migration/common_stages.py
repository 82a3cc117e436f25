"""The stages that routes build upon: the Flask class, the database URL, the clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flasync.toolkit.app_runs import find_app_runs
from flasync.toolkit.async_urls import are_databases_async
from flasync.toolkit.migration.app_class import plan_app_class
from flasync.toolkit.migration.client_stages import plan_clients
from flasync.toolkit.migration.database_url import plan_database_url
from flasync.toolkit.migration.http_clients import HttpModule
from flasync.toolkit.migration.plan import Safety, Stage, StageKind
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.suite_reading import Suite
from flasync.toolkit.rules import Program

APP_STAGE = "app"
DATABASE_STAGE = "database"
# SQLAlchemy's calls wait as the URL says, whoever makes them.
_UNSAFE_URL = "changing the database URL is not safe without a look (--unsafe)"
_SQLALCHEMY = ("sqlalchemy.*", "flask_sqlalchemy.*")


@dataclass(frozen=True, slots=True)
class FreeingStage:
    """A stage that frees calls without a change of them: another client, another URL.

    Attributes:
        id: The stage's id.
        frees: Patterns of the dotted names that it frees, each perhaps with a last `*`.
    """

    id: str
    frees: tuple[str, ...]

    def covers(self, name: str) -> bool:
        """Return whether it frees the calls of a dotted name."""
        return any(fnmatchcase(name, pattern) for pattern in self.frees)


@dataclass(frozen=True, slots=True)
class CommonStages:
    """What is done once for many routes.

    Attributes:
        stages: The stages, in their order.
        freeing: What they free.
        stuck: What none of them frees although only they could: by the pattern of a dotted name,
            the reason and the advice.
        declined: Why clients stay sync whose calls a thread can make as well: by the pattern of a
            dotted name, the end of a sentence.
        app_obstacle: Why async views cannot be written into this app; "" when they can.
        app_advice: What to do by hand about that.
        served: The app as a server is to be given it, such as "wsgi:asgi_app"; "" for as before.
        by_hand: What a person has to do where the app is deployed, one line each.
    """

    stages: tuple[Stage, ...]
    freeing: tuple[FreeingStage, ...]
    stuck: Mapping[str, tuple[str, str]]
    declined: Mapping[str, str]
    app_obstacle: str = ""
    app_advice: str = ""
    served: str = ""
    by_hand: tuple[str, ...] = ()

    @property
    def has_app_stage(self) -> bool:
        """Whether the Flask class is to be changed first."""
        return any(stage.id == APP_STAGE for stage in self.stages)

    def find_freeing(self, name: str) -> FreeingStage | None:
        """Return the stage that frees the calls of a dotted name, or None when none does."""
        return next((stage for stage in self.freeing if stage.covers(name)), None)

    def find_stuck(self, name: str) -> tuple[str, str] | None:
        """Return why the calls of a dotted name cannot be freed, and the advice, or None."""
        found = (why for pattern, why in self.stuck.items() if fnmatchcase(name, pattern))
        return next(found, None)

    def explain_declined(self, name: str) -> str:
        """Return why the client that the calls of a dotted name use stays sync; "" if not so."""
        found = (why for pattern, why in self.declined.items() if fnmatchcase(name, pattern))
        return next(found, "")


def plan_common_stages(
    program: Program,
    files: ProjectFiles,
    suite: Suite,
    http: HttpModule,
    *,
    allow_unsafe: bool,
    failed: Mapping[str, str],
) -> CommonStages:
    """Return the stages that routes build upon.

    Args:
        program: The app.
        files: The files that may change.
        suite: The project's tests.
        http: The HTTP client that the project gets.
        allow_unsafe: Whether unsafe changes are made, too.
        failed: Stages that turned a test red, each with a sentence about it.
    """
    stages: list[Stage] = []
    freeing: list[FreeingStage] = []
    stuck: dict[str, tuple[str, str]] = {}
    declined: dict[str, str] = {}

    def is_allowed(safety: Safety) -> bool:
        return safety is Safety.SAFE or (safety is Safety.UNSAFE and allow_unsafe)

    app = plan_app_class(program, files)
    app_obstacle = failed.get(APP_STAGE) or app.reason
    if app.changes and not app_obstacle:
        # `flasync.Flask.run` starts an ASGI server, where `flask.Flask.run` needs none.
        runs = any(any(find_app_runs(source)) for source in program.sources.list_files())
        needed = "flasync[serve]" if runs else "flasync"
        stages.append(
            Stage(APP_STAGE, StageKind.APP, app.title, app.changes, distributions=(needed,))
        )
    database = plan_database_url(program, files)
    if are_databases_async(program.app):
        freeing.append(FreeingStage("", _SQLALCHEMY))
    elif database.frees and DATABASE_STAGE not in failed and is_allowed(database.safety):
        title = "Give SQLAlchemy an async driver by the database URL; the code stays as it is"
        stages.append(
            Stage(
                DATABASE_STAGE,
                StageKind.DATABASE,
                title,
                database.changes,
                distributions=database.distributions,
            )
        )
        freeing.append(FreeingStage(DATABASE_STAGE, _SQLALCHEMY))
    else:
        reason = failed.get(DATABASE_STAGE) or database.reason or _UNSAFE_URL
        stuck |= dict.fromkeys(_SQLALCHEMY, (reason, database.advice))
    for client in plan_clients(
        tuple(load_recipes().values()), files, suite, http, allow_unsafe=allow_unsafe
    ):
        if client.stage is not None and client.stage.id not in failed:
            stages.append(client.stage)
            freeing.append(FreeingStage(client.stage.id, client.frees))
            continue
        reason = client.obstacle if client.stage is None else failed[client.stage.id]
        if client.is_of_thread:
            stuck |= dict.fromkeys(client.frees, (reason, ""))
        else:
            declined |= dict.fromkeys(client.frees, _continue_sentence(reason))
    return CommonStages(
        tuple(stages),
        tuple(freeing),
        stuck,
        declined,
        app_obstacle,
        app.advice if app_obstacle else "",
        app.served,
        (database.advice,) if database.advice and database.frees else (),
    )


def _continue_sentence(text: str) -> str:
    """Return a sentence as the end of another one."""
    return text[:1].lower() + text[1:]
