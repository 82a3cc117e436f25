"""A scan from end to end: the app, its call graph, the findings of the rules, the report."""

from __future__ import annotations

import gc
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import flask
from werkzeug.exceptions import HTTPException

from flasync.serving.location import load_flask_app
from flasync.toolkit.deep_recursion import run_deep
from flasync.toolkit.finding import Finding, Hit, Place, RouteReport, ScanReport, Step, Verdict
from flasync.toolkit.graph import FunctionNode, list_functions, walk_functions
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.interpreter import Evaluator, StaticApp, import_known_libraries
from flasync.toolkit.interpreter.values import UNKNOWN, Instance, Values
from flasync.toolkit.knowledge import load_knowledge
from flasync.toolkit.observing.launch import run_observed
from flasync.toolkit.observing.merging import list_lines, merge
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.request_walk import runs_on_loop
from flasync.toolkit.rules import Program, load_rules
from flasync.toolkit.sources import Sources
from flasync.toolkit.strangers import Strangers
from flasync.toolkit.suppression import drop_findings, is_suppressed
from flasync.toolkit.surface import EntryPoint, Route, Surface, read_surface
from flasync.toolkit.verdict import judge_observed, judge_route, rank_route

_STATIC_NOTE = (
    "Only the source was read, so what is known at run time alone is lost: lazy loads of models,"
    " settings, hooks of extensions, what other packages register, types that no line names."
)
Progress = Callable[[str, int, int], None]


def scan(
    import_path: str | None,
    root: Path,
    settings: ProjectSettings,
    *,
    static: bool = False,
    observe_command: tuple[str, ...] | None = None,
    observe_stdout: int | None = None,
    progress: Progress | None = None,
) -> ScanReport:
    """Return what is found in a project.

    Args:
        import_path: The app, as `flask --app` takes it; None: found in the current directory.
        root: The project's folder.
        settings: Its settings, those of the command line included.
        static: Read the source alone; only known libraries are imported, nothing of the project.
        observe_command: A command to run while what really blocks is recorded.
        observe_stdout: The file descriptor for that command's standard output; None: this
            process's own.
        progress: Called with what is under way, how much of it is done, and of how much; 0 of an
            unknown amount.

    Raises:
        AppNotFoundError: No app is where it was looked for.
        AppStartError: The app raised while it was imported or built.
        ObserveError: The command cannot be run, or served no request.
        KnowledgeError: A knowledge file is wrong.
    """
    started = time.perf_counter()
    tell = progress or (lambda text, done, total: None)
    app, import_s = None, 0.0
    with _pause_collector():
        if not static:
            tell("Importing the app", 0, 0)
            app = load_flask_app(import_path)
            import_s = time.perf_counter() - started
        path = import_path or (app.import_name if app is not None else root.name)
        if app is not None:
            program = build_program(app, root, path=path, settings=settings, progress=tell)
        else:
            program = build_static_program(root, path=path, settings=settings, progress=tell)
        tell("Looking at what was found", 0, 0)
        report = build_report(program, settings)
    if observe_command:
        report = observe(report, program, observe_command, observe_stdout)
    duration_s = time.perf_counter() - started
    return replace(report, import_s=import_s, duration_s=duration_s)


@contextmanager
def _pause_collector() -> Iterator[None]:
    """Keep the garbage collector from walking through millions of nodes that all stay.

    They also stay when it resumes. So they are made old objects, which freezing and unfreezing
    does at once; else the first collection would walk through all of them, as if they were new.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def observe(
    report: ScanReport, program: Program, command: tuple[str, ...], stdout: int | None = None
) -> ScanReport:
    """Return a report with what a command showed to wait, while it ran.

    Raises:
        ObserveError: The command cannot be run, or served no request.
    """
    root, packages = program.sources.root, program.sources.packages
    code, observation = run_observed(command, root, list_lines(report), packages, stdout=stdout)
    report = judge_observed(merge(report, observation, program))
    if code:
        note = f"The command {shlex.join(command)!r} ended with exit code {code}."
        report = replace(report, notes=(note, *report.notes))
    return report


def build_program(
    app: flask.Flask | None,
    root: Path,
    *,
    path: str = "app",
    settings: ProjectSettings | None = None,
    progress: Progress | None = None,
) -> Program:
    """Return an app's surface, sources and call graph, ready for the rules.

    Args:
        app: The live app; None for a project without one, of which only the files are read.
        root: The project's folder.
        path: How the app was named.
        settings: The project's settings.
        progress: As for `scan`.
    """
    settings = settings or ProjectSettings()
    packages = _list_packages(app) if app is not None else ()
    sources = Sources(root.resolve(), packages, exclude=settings.exclude)
    knowledge = load_knowledge(settings.knowledge)
    if app is None:
        return Program(sources, knowledge, Surface((), (), (), ()), path=path)
    knowledge.bind()
    program = Program(sources, knowledge, read_surface(app), app, path=path)
    _fill(program, Evaluator(sources, knowledge, app), progress)
    return program


def build_static_program(
    root: Path,
    *,
    path: str = "app",
    settings: ProjectSettings | None = None,
    progress: Progress | None = None,
) -> Program:
    """Return what the source alone tells of an app; the arguments are those of `build_program`."""
    settings = settings or ProjectSettings()
    sources = Sources(root.resolve(), exclude=settings.exclude)
    knowledge = load_knowledge(settings.knowledge)
    import_known_libraries(sources, knowledge)
    knowledge.bind()
    evaluator = Evaluator(sources, knowledge)
    static = StaticApp(sources, evaluator)
    app = run_deep(static.build)
    evaluator.use_templates_of(app)
    program = Program(sources, knowledge, read_surface(app), path=path)
    program.notes += [_STATIC_NOTE, *dict.fromkeys(static.notes)]
    _fill(program, evaluator, progress)
    return program


def _fill(program: Program, evaluator: Evaluator, progress: Progress | None) -> None:
    """Walk from every entry point of a program's surface."""
    run_deep(lambda: _walk_all(program, evaluator, progress))


def _walk_all(program: Program, evaluator: Evaluator, progress: Progress | None) -> None:
    surface = program.surface
    entered = _Entries(evaluator)
    for number, route in enumerate(surface.routes):
        if progress is not None:
            progress("Following the calls of each route", number, len(surface.routes))
        entries = list(entered.enter(route.entries))
        if _renders_template(entries):
            entries += entered.enter(_list_processors(surface, route))
        program.entries[route.id] = entries
    program.others = list(entered.enter(surface.handlers))
    program.functions = list(evaluator.walked)
    commands = list(entered.enter(surface.commands))
    program.outside = _list_walked(commands)


def _renders_template(entries: list[tuple[str, FunctionNode]]) -> bool:
    return any(node.name.startswith("template ") for node in _list_walked(entries))


def _list_processors(surface: Surface, route: Route) -> tuple[EntryPoint, ...]:
    """Return the context processors of the templates that a route renders."""
    blueprint = route.endpoint.rpartition(".")[0]
    return tuple(
        point
        for point in surface.handlers
        if point.kind == "context processor"
        and f"{blueprint}.".startswith(f"{point.blueprint}." if point.blueprint else "")
    )


def build_report(program: Program, settings: ProjectSettings) -> ScanReport:
    """Return what the rules find in a program, by route."""
    found: list[Finding] = []
    for rule in load_rules().values():
        found += rule.find(program)
    found = sorted(set(found), key=lambda finding: (finding.place, finding.code, finding.subject))
    routes = _RouteReports(program, found)
    report = ScanReport(
        app=program.path,
        root=str(program.sources.root),
        notes=tuple(program.notes),
        mode="live" if program.app is not None else "static",
        routes=tuple(sorted(routes.build(), key=rank_route)),
        findings=tuple(routes.findings),
        files=program.sources.count_files(),
        lines=program.sources.count_lines(),
    )
    return drop_findings(report, _build_filter(program, settings))


def _build_filter(program: Program, settings: ProjectSettings) -> Callable[[Finding], bool]:
    def is_dropped(finding: Finding) -> bool:
        line = program.sources.read_line(finding.place)
        return is_suppressed(finding, settings, line)

    return IdentityMemo(is_dropped).get  # asked for each route that a finding is on


class _Entries:
    """The entry points of an app, each walked once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._known: dict[tuple[int, type | None, int | None], FunctionNode | None] = {}
        self._kept: list[EntryPoint] = []

    def enter(self, points: tuple[EntryPoint, ...]) -> Iterator[tuple[str, FunctionNode]]:
        view = next((point for point in points if point.kind == "view"), None)
        for point in points:
            decorated = view if point.kind == "method decorator" else None
            inner = id(decorated.function) if decorated is not None else None
            key = (id(point.function), point.receiver, inner)
            if key not in self._known:
                self._kept.append(point)  # an `id` is another object's once its own is gone
                self._known[key] = self._enter(point, decorated)
            node = self._known[key]
            if node is not None:
                yield point.kind, node

    def _find_given(self, kind: str) -> Values:
        """Return what Flask hands to functions of a kind, by its own contract."""
        if kind == "after_request":
            app = self._evaluator.app
            return (Instance(app.response_class if app is not None else flask.Response),)
        if kind in {"teardown_request", "teardown_appcontext"}:
            return (Instance(BaseException),)
        return (Instance(HTTPException),) if kind == "error handler" else UNKNOWN

    def _enter(self, point: EntryPoint, decorated: EntryPoint | None) -> FunctionNode | None:
        if decorated is None:
            given = self._find_given(point.kind)
            return self._evaluator.enter_from(point.function, point.receiver, given)
        return self._evaluator.enter_decorated(
            point.function, decorated.function, decorated.receiver
        )


class _RouteReports:
    """Joins findings with the routes that reach them.

    Attributes:
        findings: All findings, with their routes.
    """

    def __init__(self, program: Program, found: list[Finding]) -> None:
        self._program = program
        self._by_place: dict[Place, list[Finding]] = {}
        self._strangers = Strangers(program)
        self._elsewhere: dict[str, list[Finding]] = {}
        self._in: dict[FunctionNode, list[tuple[Finding, Step]]] = {}
        called = {site.place for function in program.functions for site in function.sites}
        for finding in found:
            if finding.place in called:
                self._by_place.setdefault(finding.place, []).append(finding)
            elif finding.function:
                self._elsewhere.setdefault(finding.function, []).append(finding)
        reached = {route.id: self._reach(route) for route in program.surface.routes}
        names: dict[Finding, list[str]] = {}
        for route, hits in reached.items():
            for hit in hits:
                names.setdefault(hit.finding, []).append(route)
        complete = {
            finding: replace(finding, routes=tuple(dict.fromkeys(names.get(finding, ()))))
            for finding in found
        }
        self.findings = list(complete.values())
        self._hits = {
            route: tuple(replace(hit, finding=complete[hit.finding]) for hit in hits)
            for route, hits in reached.items()
        }

    def build(self) -> Iterator[RouteReport]:
        """Yield each route's report."""
        for route in self._program.surface.routes:
            yield self._build_route(route)

    def _reach(self, route: Route) -> list[Hit]:
        """Return what a route reaches, each finding once, by its shortest chain."""
        hits: dict[int, Hit] = {}  # by `id`, which is quicker: each finding is there once
        for kind, entry in self._program.entries.get(route.id, []):
            for function, chain in walk_functions(entry):
                for finding, last in self._list_in(function):
                    known = hits.get(id(finding))
                    steps = (*chain, last)
                    if known is None or len(known.chain) > len(steps):
                        hits[id(finding)] = Hit(finding, steps, kind)
        return list(hits.values())

    def _list_in(self, function: FunctionNode) -> list[tuple[Finding, Step]]:
        """Return the findings at the calls of a function, and those elsewhere in it."""
        found = self._in.get(function)
        if found is None:  # many routes may run it
            found = self._in[function] = list(self._find_in(function))
        return found

    def _find_in(self, function: FunctionNode) -> Iterator[tuple[Finding, Step]]:
        for site in function.sites:
            for finding in self._by_place.get(site.place, ()):
                yield finding, Step(function.name, site.place, site.text)
        for finding in self._elsewhere.get(function.name, ()):
            yield finding, Step(function.name, finding.place, finding.subject)

    def _build_route(self, route: Route) -> RouteReport:
        entries = self._program.entries.get(route.id, [])
        view = next((node for kind, node in entries if kind == "view"), None)
        hits = self._hits[route.id]
        walked = _list_walked(entries)
        unresolved = tuple(dict.fromkeys(call for node in walked for call in node.unresolved))
        is_async = runs_on_loop(self._program.app, route, entries)
        verdict, reason = judge_route(
            route,
            hits,
            unresolved,
            is_async=is_async,
            calls=sum(len(node.sites) for node in walked),
            strangers=self._strangers.list(walked),
        )
        owner = _find_foreign_owner(route) if view is None else ""
        if owner:
            verdict = Verdict.UNKNOWN
            reason = f"Its view is code of the package {owner}, which is not looked into."
        return RouteReport(
            id=route.id,
            methods=route.methods,
            rule=route.rule,
            endpoint=route.endpoint,
            view=view.name if view is not None else route.endpoint,
            place=view.place if view is not None and view.source is not None else None,
            is_async=is_async,
            verdict=verdict,
            reason=reason,
            hits=hits,
            unresolved=unresolved,
        )


def _list_walked(entries: list[tuple[str, FunctionNode]]) -> list[FunctionNode]:
    """Return every function that a request runs, once."""
    return list_functions(entry for _, entry in entries)


def _find_foreign_owner(route: Route) -> str:
    """Return the package that a view comes from which is not the project's nor Flask's."""
    views = [point.function for point in route.entries if point.kind == "view"]
    module = str(getattr(views[0], "__module__", "")) if views else ""
    package = module.partition(".")[0]
    return "" if package in {"flask", "flasync"} else package


def _list_packages(app: flask.Flask) -> tuple[Path, ...]:
    """Return the folder of the app's own package, when it is not in the project's folder.

    That is so for an application that is installed, and scanned where it is.
    """
    top = app.import_name.partition(".")[0]
    module = sys.modules.get(top)
    filename = getattr(module, "__file__", None)
    if filename is None:
        return ()
    path = Path(filename).resolve()
    folder = path.parent if path.name == "__init__.py" else path
    return (folder,)
