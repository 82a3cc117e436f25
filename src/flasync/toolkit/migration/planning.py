"""From a scanned app to a plan: which routes move, by which changes, and which stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from packaging.requirements import Requirement

from flasync.toolkit.finding import ScanReport, Verdict
from flasync.toolkit.migration.candidates import Candidate, Candidates
from flasync.toolkit.migration.colouring import Colouring
from flasync.toolkit.migration.common_stages import CommonStages, plan_common_stages
from flasync.toolkit.migration.deployment_files import plan_deployment
from flasync.toolkit.migration.fixed_calls import FixedCalls
from flasync.toolkit.migration.freeing import Freeing
from flasync.toolkit.migration.http_clients import HttpChoice, HttpModule, choose_http_client
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    Colour,
    Left,
    Plan,
    Safety,
    Span,
    Stage,
    StageKind,
    TextChange,
    get_span,
)
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.references import References
from flasync.toolkit.migration.requirement_files import declared_distributions, plan_requirements
from flasync.toolkit.migration.rewrites import Rewrites
from flasync.toolkit.migration.suite_reading import read_suite
from flasync.toolkit.migration.waiting_sites import list_functions
from flasync.toolkit.rules import Program

_HTTP_MODULE = "http_client"
_LAST_TITLES = {
    StageKind.REQUIREMENTS: "Declare what the new code needs",
    StageKind.DEPLOYMENT: "Start the server as an ASGI server",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for.

    Attributes:
        routes: The ids of the routes to move; None for all that gain by it.
        http: The HTTP client to write; None: chosen by what the project has.
        allow_unsafe: Whether unsafe changes are made, too.
        all_ready: Whether routes move, too, that wait for nothing and of which nothing blocks.
    """

    routes: frozenset[str] | None = None
    http: str | None = None
    allow_unsafe: bool = False
    all_ready: bool = False


@dataclass(frozen=True, slots=True)
class Setbacks:
    """What earlier attempts have shown.

    Attributes:
        stages: The ids of the stages that turned a test red, each with a sentence about it.
        plain: Functions that must not become async: with them, something turned red.
    """

    stages: Mapping[str, str] = field(default_factory=dict)
    plain: frozenset[Span] = frozenset()


class Planner:
    """Makes plans for one scanned app.

    Args:
        program: The app and its call graph.
        report: What the scan says of it.

    Attributes:
        files: The files that may change.
        suite: What the project's tests say.
    """

    def __init__(self, program: Program, report: ScanReport) -> None:
        self._program = program
        self._report = report
        self.suite = read_suite(program.sources.root)
        self.files = ProjectFiles(program.sources, self.suite)
        self._references = References(program, self.suite)
        self._functions = list(list_functions(program))
        self._fixed = FixedCalls(self.files)

    def plan(self, wish: Wish | None = None, setbacks: Setbacks | None = None) -> Plan:
        """Return what would be done.

        Args:
            wish: What the user asks for; None: everything that gains.
            setbacks: What must not be tried again.
        """
        wish, setbacks = wish or Wish(), setbacks or Setbacks()
        http = self.choose_http(wish)
        rewrites = Rewrites(self.files, self.suite, http, allow_unsafe=wish.allow_unsafe)
        common = plan_common_stages(
            self._program,
            self.files,
            self.suite,
            http,
            allow_unsafe=wish.allow_unsafe,
            failed=setbacks.stages,
        )
        freeing = Freeing(self._program, rewrites.rewrite, common, self._fixed.explain)
        looks = Candidates(
            self._program,
            freeing,
            common,
            self._references,
            chosen=self._choose(wish),
            plain=setbacks.plain,
        )
        candidates: list[Candidate] = []
        left: list[Left] = []
        moved_before: list[str] = []
        for report in self._report.routes:
            if wish.routes is not None and report.id not in wish.routes:
                continue
            failed = setbacks.stages.get(f"route:{report.id}")
            answer = Left(report.id, failed, report.place) if failed else looks.consider(report)
            if isinstance(answer, Candidate):
                candidates.append(answer)
            elif isinstance(answer, Left):
                left.append(answer)
            elif report.is_async:
                moved_before.append(report.id)
        routes = list(_RouteStages(self, candidates, rewrites, freeing, setbacks).build())
        routes = [_add_http(stage, rewrites, http.change) for stage in routes]
        stages = [*_keep_needed(common, routes), *routes]
        root = self._program.sources.root
        requirements = plan_requirements(root, _list_distributions(stages))
        deployment = plan_deployment(self._program, served=common.served) if routes else ()
        deployed = tuple(
            change
            for change in deployment
            if wish.allow_unsafe and change.safety is not Safety.SHOWN
        )
        by_hand = (
            f"{get_span(change).place}: {change.reason}"
            + (" (--unsafe writes it)" if change.safety is Safety.UNSAFE else "")
            for change in deployment
            if change not in deployed
        )
        unreadable = (
            f"{name} cannot be read, and stays as it is: {why}"
            for name, why in self.files.unreadable.items()
        )
        stages += _build_last(StageKind.REQUIREMENTS, requirements.changes)
        stages += _build_last(StageKind.DEPLOYMENT, deployed)
        return Plan(
            tuple(stages),
            tuple(left),
            tuple(moved_before),
            by_hand=(*common.by_hand, *requirements.notes, *by_hand),
            notes=(*unreadable, *_note_http(stages, http)),
        )

    def _choose(self, wish: Wish) -> frozenset[str]:
        """Return the routes that move though they gain nothing."""
        if wish.routes is not None or not wish.all_ready:
            return wish.routes or frozenset()
        reports = self._report.routes
        return frozenset(report.id for report in reports if report.verdict is Verdict.READY)

    def choose_http(self, wish: Wish) -> HttpModule:
        """Return the HTTP client that the project gets, and its module."""
        declared = declared_distributions(self._program.sources.root)
        client = choose_http_client(wish.http, declared)
        module, file = self.files.place_beside(self._package, _HTTP_MODULE)
        return HttpModule(HttpChoice(client, module), file)

    @cached_property
    def _called_as_written(self) -> frozenset[Span]:
        """The functions with a call that cannot get an `await`."""
        return self._fixed.list_called(self._functions)

    @property
    def _package(self) -> str:
        return self._program.app.import_name if self._program.app is not None else ""


class _RouteStages:
    """Joins the routes that can only move together, and colours their helpers."""

    def __init__(
        self,
        planner: Planner,
        candidates: list[Candidate],
        rewrites: Rewrites,
        freeing: Freeing,
        setbacks: Setbacks,
    ) -> None:
        self._candidates = candidates
        self._rewrites = rewrites
        self._colouring = Colouring(
            planner._functions,
            [
                candidate.view.span
                for candidate in candidates
                if candidate.colour is None or candidate.colour.colour is Colour.ASYNC
            ],
            planner._references.find_obstacle,
            setbacks.plain | freeing.handed_over | planner._called_as_written,
        )

    def build(self) -> Iterator[Stage]:
        """Yield a stage for each group of routes, in the order of the routes."""
        changed = {change.span for candidate in self._candidates for change in candidate.calls}
        coloured = self._colouring.colour(changed)
        for group in _group(self._candidates, coloured):
            walked = frozenset[Span]().union(*(candidate.walked for candidate in group))
            yield self._build_stage(group, coloured & walked)

    def _build_stage(self, group: list[Candidate], helpers: frozenset[Span]) -> Stage:
        colours = {
            candidate.colour.span: candidate.colour
            for candidate in group
            if candidate.colour is not None
        }
        asynced = helpers | {
            span for span, change in colours.items() if change.colour is Colour.ASYNC
        }
        calls = {
            change.span: self._rewrites.settle(change, asynced)
            for candidate in group
            for change in candidate.calls
        }
        for change in self._colouring.list_awaited_calls(helpers):
            calls.setdefault(change.span, change)
        changes: list[Change] = [
            *calls.values(),
            *colours.values(),
            *self._colouring.list_function_changes(helpers),
        ]
        return Stage(
            id=f"route:{group[0].report.id}",
            kind=StageKind.ROUTE,
            title=_name_group(group),
            changes=tuple(sorted(changes, key=get_span)),
            needs=tuple(dict.fromkeys(name for candidate in group for name in candidate.needs)),
            routes=tuple(candidate.report.id for candidate in group),
            distributions=self._list_distributions(calls.values()),
        )

    def _list_distributions(self, calls: Iterable[CallChange]) -> tuple[str, ...]:
        needed = ["flasync"]
        for change in calls:
            needed += self._rewrites.distributions.get(change.span, ()) if change.recipe else ()
        return tuple(dict.fromkeys(needed))


def _group(candidates: list[Candidate], coloured: frozenset[Span]) -> Iterator[list[Candidate]]:
    """Yield the routes that share a view or a helper that becomes async, each group together."""
    groups: list[tuple[set[Span], list[Candidate]]] = []
    for candidate in candidates:
        shared = {candidate.view.span} | (candidate.walked & coloured)
        joined = [group for group in groups if group[0] & shared]
        members = [member for group in joined for member in group[1]]
        merged = (shared.union(*(group[0] for group in joined)), [*members, candidate])
        place = groups.index(joined[0]) if joined else len(groups)
        groups = [group for group in groups if group not in joined]
        groups.insert(place, merged)
    for _, members in groups:
        yield members


def _name_group(group: list[Candidate]) -> str:
    first = group[0].report.id
    if len(group) == 1:
        return f"Move {first} onto the event loop"
    is_pair = len(group) == 2  # noqa: PLR2004
    others = "one route that shares" if is_pair else f"{len(group) - 1} routes that share"
    return f"Move {first} onto the event loop, together with {others} its helpers"


def _list_distributions(stages: Iterable[Stage]) -> list[str]:
    """Return what stages need, each distribution once: with its extras, where one needs those."""
    found: dict[str, str] = {}
    for stage in stages:
        for text in stage.distributions:
            name = Requirement(text).name
            found[name] = max(found.get(name, ""), text, key=len)
    return list(found.values())


def _calls_http(stage: Stage, rewrites: Rewrites) -> bool:
    return any(
        isinstance(change, CallChange) and change.recipe and change.span in rewrites.of_http
        for change in stage.changes
    )


def _add_http(stage: Stage, rewrites: Rewrites, module: TextChange) -> Stage:
    """Return a stage with the module of the HTTP client, if its calls need it."""
    if not _calls_http(stage, rewrites):
        return stage
    return replace(stage, changes=tuple(sorted((*stage.changes, module), key=get_span)))


def _note_http(stages: Iterable[Stage], http: HttpModule) -> Iterator[str]:
    """Yield what the reader must know of the HTTP client, where a stage makes its module."""
    note = http.choice.client.note
    if note and any(http.change in stage.changes for stage in stages):
        yield note


def _build_last(kind: StageKind, changes: tuple[TextChange, ...]) -> Iterator[Stage]:
    """Yield the stage of what comes after the code, unless there is nothing to change."""
    if changes:
        yield Stage(kind.value, kind, _LAST_TITLES[kind], changes)


def _keep_needed(common: CommonStages, stages: list[Stage]) -> list[Stage]:
    """Return the common stages that one of the routes builds upon."""
    needed = {name for stage in stages for name in stage.needs}
    return [stage for stage in common.stages if stage.id in needed]
