"""The rewriting of one call: which recipe is for it, and whether the tests leave it free."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import libcst as cst

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.http_clients import HttpModule
from flasync.toolkit.migration.plan import CallChange, Safety, Span
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.recipe import LeaveAlone, Scene
from flasync.toolkit.migration.recipes import find_recipe
from flasync.toolkit.migration.suite_reading import Suite
from flasync.toolkit.migration.waiting_sites import WaitingSite


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call with an async twin is not replaced by it.

    Attributes:
        reason: The end of a sentence.
        is_for_tests: Whether only the tests are in the way: what they put in the place of the call
            would not be called any more.
    """

    reason: str
    is_for_tests: bool = False


class Rewrites:
    """Replaces calls by recipes, for one plan.

    Args:
        files: The files that may change.
        suite: The tests of the project.
        http: The HTTP client that the project gets.
        allow_unsafe: Whether unsafe rewrites are made, too.

    Attributes:
        distributions: What must be installed, by the span of the call that needs it.
        of_http: The calls that the project's HTTP client makes.
    """

    def __init__(
        self, files: ProjectFiles, suite: Suite, http: HttpModule, *, allow_unsafe: bool
    ) -> None:
        self.of_http: set[Span] = set()
        self._files = files
        self._suite = suite
        self._http = http
        self._allow_unsafe = allow_unsafe
        self.distributions: dict[Span, tuple[str, ...]] = {}
        self._for_await_only: set[Span] = set()

    def rewrite(self, site: WaitingSite, span: Span) -> CallChange | Refusal | None:
        """Return how a call is replaced by its async twin.

        Returns:
            The change; or why there is none; or None when no recipe is for the call.
        """
        recipe = find_recipe(site.name)
        file = self._files.get(span.file)
        call = file.find_call(span) if file is not None else None
        if recipe is None or recipe.way is not Way.REWRITE or file is None or call is None:
            return None
        module = self._files.name_module(span.file)
        patch = self._suite.find_patch(site.name, module, site.site.text)
        if patch is not None:
            return Refusal(f"the tests put something in its place ({patch})", is_for_tests=True)
        try:
            twin = recipe.build(Scene(file, call, site.name, self._files, self._http.choice))
        except LeaveAlone as error:
            return Refusal(str(error))
        safety = twin.safety or recipe.safety
        if safety is Safety.SHOWN or (safety is Safety.UNSAFE and not self._allow_unsafe):
            return Refusal(f"awaiting its async twin is not safe here ({recipe.name})")
        if twin.needs_loop:
            self._for_await_only.add(span)
        self.distributions[span] = recipe.distributions
        if self._http.is_imported(twin.imports):
            self.of_http.add(span)
            self.distributions[span] += (self._http.choice.client.requirement,)
        reason = "it has an async twin"
        return CallChange(span, site.name, Way.REWRITE, recipe.name, safety, reason)

    def settle(self, change: CallChange, asynced: Collection[Span]) -> CallChange:
        """Return a change as it is once it is known which functions become async.

        Some twins can only be evaluated where a loop runs; outside of an async function their call
        goes to a thread instead.
        """
        if change.span not in self._for_await_only:
            return change
        file = self._files.get(change.span.file)
        call = file.find_call(change.span) if file is not None else None
        assert file is not None and call is not None  # noqa: S101  the recipe has seen it
        enclosing = file.find_enclosing(call)
        if isinstance(enclosing, cst.FunctionDef) and (
            enclosing.asynchronous is not None or file.locate(enclosing) in asynced
        ):
            return change
        reason = "its async twin can only be made in an async function"
        return replace(change, way=Way.OFFLOAD, recipe="", reason=reason)
