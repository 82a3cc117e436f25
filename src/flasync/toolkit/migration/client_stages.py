"""The stages that make the clients of a library async, behind a sync face, all at once or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.http_clients import HttpModule
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    Safety,
    Stage,
    StageKind,
    get_span,
)
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.recipe import LeaveAlone, Recipe, Scene
from flasync.toolkit.migration.recipes import find_recipe
from flasync.toolkit.migration.suite_reading import Suite


@dataclass(frozen=True, slots=True)
class ClientStage:
    """What can be done about the clients of one library.

    Attributes:
        stage: The stage; None when one of the clients must stay as it is.
        frees: Patterns of the dotted names that wait no longer after it.
        obstacle: Why there is no stage; "" when there is one.
        is_of_thread: Whether the clients belong to a thread while they are sync.
    """

    stage: Stage | None
    frees: tuple[str, ...]
    obstacle: str = ""
    is_of_thread: bool = False


def plan_clients(
    recipes: Iterator[Recipe] | tuple[Recipe, ...],
    files: ProjectFiles,
    suite: Suite,
    http: HttpModule,
    *,
    allow_unsafe: bool,
) -> list[ClientStage]:
    """Return what can be done about each library whose clients the project makes itself.

    A client that stays sync would go on blocking under the name of those that do not, so that all
    clients of a library are made async, or none.

    Args:
        recipes: The recipes to try; those that are not of clients are left out.
        files: The files that may change.
        suite: The project's tests.
        http: The HTTP client that the project gets.
        allow_unsafe: Whether unsafe changes are made, too.
    """
    found: list[ClientStage] = []
    for recipe in recipes:
        if recipe.way is Way.BRIDGE:
            found += _plan_clients_of(recipe, files, suite, http, allow_unsafe)
    return found


def _plan_clients_of(
    recipe: Recipe, files: ProjectFiles, suite: Suite, http: HttpModule, allow_unsafe: bool
) -> Iterator[ClientStage]:
    changes: list[Change] = []
    distributions = recipe.distributions
    obstacles: list[str] = []
    for file, call, name in _find_clients(recipe, files):
        span = file.locate(call)
        patch = suite.find_patch(name, files.name_module(file.name), _write(call))
        try:
            twin = recipe.build(Scene(file, call, name, files, http.choice))
        except LeaveAlone as error:
            obstacles.append(f"`{name}` at {span.place}: {error}")
            continue
        if http.is_imported(twin.imports) and http.change not in changes:
            changes.append(http.change)
            distributions += (http.choice.client.requirement,)
        safety = twin.safety or recipe.safety
        if patch is not None:
            obstacles.append(f"the tests put something in the place of `{name}` ({patch})")
        elif safety is Safety.SHOWN or (safety is Safety.UNSAFE and not allow_unsafe):
            obstacles.append(f"`{name}` at {span.place}: not safe without a look ({recipe.name})")
        reason = "an async client with a sync face frees all calls through it"
        changes.append(CallChange(span, name, Way.BRIDGE, recipe.name, safety, reason))
    if obstacles:
        yield ClientStage(None, recipe.frees, obstacles[0], recipe.of_thread)
    elif changes:
        library = recipe.frees[0].partition(".")[0]
        title = f"Make the clients of {library} async, behind a sync face"
        stage = Stage(
            f"client:{recipe.name}",
            StageKind.CLIENT,
            title,
            tuple(sorted(changes, key=get_span)),
            distributions=distributions,
        )
        yield ClientStage(stage, recipe.frees, is_of_thread=recipe.of_thread)


def _find_clients(
    recipe: Recipe, files: ProjectFiles
) -> Iterator[tuple[ParsedFile, cst.Call, str]]:
    """Yield the calls that make a client, by the imports of the files that they are in."""
    for word in sorted({name.partition(".")[0] for name in recipe.names}):
        for file in files.list_mentioning(word):
            for _, call in file.list_calls():
                for name in sorted(file.name_qualified(call.func)):
                    if find_recipe(name) is recipe and name.partition(".")[0] == word:
                        yield file, call, name
                        break


def _write(call: cst.Call) -> str:
    return cst.Module([]).code_for_node(call)
