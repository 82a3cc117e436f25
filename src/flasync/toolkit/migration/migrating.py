"""A migration from end to end: a stage is written, proved by the app's own tests, kept or undone.

The new text of a file is always rendered from the original and all the stages that stand, so that
undoing one is writing the others. What turned a test red comes back in a plainer shape, as long as
there is one: first with its helpers as plain functions, then with its view as one, then not at all.
"""

from __future__ import annotations

import difflib
import io
import shlex
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flasync.errors import SuiteError
from flasync.toolkit.migration.applying import Workspace
from flasync.toolkit.migration.git_history import commit
from flasync.toolkit.migration.http_clients import HttpChoice
from flasync.toolkit.migration.installing import find_missing, install
from flasync.toolkit.migration.outcome import MigrationReport, StageOutcome, Status
from flasync.toolkit.migration.plan import (
    Change,
    Colour,
    FunctionChange,
    Plan,
    Span,
    Stage,
    StageKind,
    TextChange,
    get_span,
)
from flasync.toolkit.migration.planning import Planner, Setbacks, Wish
from flasync.toolkit.migration.proving import SuiteResult, choose_timeout, prove, run_suite
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import RenderError, render
from flasync.toolkit.migration.text_edits import EditedText

# Seconds for the first run of the tests, of which nobody knows how long they take.
_FIRST_RUN_S = 1800.0
_NO_LAST_END = "\\ No newline at end of file\n"

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a migration is carried out.

    Attributes:
        write: Whether files are changed.
        test: The command that runs the app's tests; "" for none.
        bisect: Whether all stages are proved by one run of the tests, and a culprit is looked for
            by halves; else each stage has a run of its own.
        install: Whether what the new code needs is installed.
        commit: Whether each stage becomes a git commit.
        check: Told which files a migration is to change, before anything is written or run; raises
            what stands in the way.
        accept: Asked about each stage before it is written, with its diff: whether to go on with
            it.
        tell: Told what is under way, how much of it is done, and of how much.
    """

    write: bool = False
    test: str = ""
    bisect: bool = False
    install: bool = False
    commit: bool = False
    check: Callable[[Collection[str]], None] = lambda files: None
    accept: Callable[[Stage, str], bool] = lambda stage, diff: True
    tell: Tell = lambda text, done, total: None


class Migration:
    """One migration of one project.

    Args:
        planner: Plans it.
        root: The project's folder.
        app: How the app was named or found.
        manner: How it is carried out.
    """

    def __init__(self, planner: Planner, root: Path, app: str, manner: Manner) -> None:
        self._planner = planner
        self._manner = manner
        self._app = app
        self._root = root
        self._workspace = Workspace(root)
        self._outcomes: list[StageOutcome] = []
        self._standing: list[Stage] = []
        self._held: set[str] = set()
        self._http: HttpChoice | None = None
        self._before: SuiteResult | None = None
        # Most stages leave most files as the stages before them did.
        self._rendered: dict[tuple[str, tuple[Change, ...]], str] = {}

    @property
    def standing(self) -> tuple[Stage, ...]:
        """The stages whose changes are in the files now; without `Manner.write`, would be."""
        return tuple(self._standing)

    def run(self, wish: Wish) -> MigrationReport:
        """Plan, and with `Manner.write` carry out, what is wished for.

        Raises:
            FileChangedError: A file was changed by somebody else meanwhile.
            FileWriteError: A file cannot be written.
            RepositoryError: A commit cannot be made.
            SuiteError: The tests cannot be run, or none of them passes.
        """
        started = time.perf_counter()
        self._http = self._planner.choose_http(wish).choice
        plan, setbacks = self._plan(wish, Setbacks())
        if self._manner.write:
            self._manner.check(
                {get_span(change).file for stage in plan.stages for change in stage.changes}
            )
            if self._manner.test and plan.stages:
                self._manner.tell("Running the tests as they are", 0, 0)
                self._before = run_suite(self._manner.test, self._root, _FIRST_RUN_S)
                _check_proving(self._before)
            plan = self._carry_out(plan, wish, setbacks)
        else:
            self._outcomes = [StageOutcome(stage, Status.PLANNED) for stage in plan.stages]
            self._standing = list(plan.stages)
        before = self._before
        return MigrationReport(
            app=self._app,
            root=str(self._root),
            is_written=self._manner.write,
            outcomes=tuple(self._outcomes),
            left=plan.left,
            moved_before=plan.moved_before,
            by_hand=plan.by_hand,
            notes=plan.notes,
            diff=self._build_diff(self._render(self._standing)),
            tests_passed=len(before.passed) if before is not None else None,
            tests_red_before=tuple(sorted({*before.failed, *before.errors})) if before else (),
            duration_s=time.perf_counter() - started,
        )

    def _plan(self, wish: Wish, setbacks: Setbacks) -> tuple[Plan, Setbacks]:
        """Return a plan of which every stage can be written, and the setbacks that it is made with.

        Raises:
            RenderError: A stage cannot be written, and the plan keeps it all the same.
        """
        while True:
            plan = self._planner.plan(wish, setbacks)
            failed = self._find_unwritable(plan.stages)
            if failed is None:
                return plan, setbacks
            stage, error = failed
            learnt = _learn(setbacks, StageOutcome(stage, Status.UNDONE, str(error)))
            if learnt == setbacks:
                raise error
            setbacks = learnt

    def _find_unwritable(self, stages: Iterable[Stage]) -> tuple[Stage, RenderError] | None:
        """Return the first stage that does not fit those before it, with what is wrong."""
        kept = list(self._standing)
        try:
            self._render([*kept, *stages])
        except RenderError:
            for stage in stages:
                kept.append(stage)
                try:
                    self._render(kept)
                except RenderError as error:
                    return stage, error
        return None

    def _carry_out(self, plan: Plan, wish: Wish, setbacks: Setbacks) -> Plan:
        """Go through the stages; return the last plan, with what is left after all setbacks."""
        lacking = self._provide(plan)
        if lacking:
            setbacks = replace(setbacks, stages={**setbacks.stages, **lacking})
            plan, setbacks = self._plan(wish, setbacks)
        done: set[object] = set()
        while True:
            waiting = [stage for stage in plan.stages if _identify(stage) not in done]
            if not waiting:
                return plan
            tried = waiting if self._manner.bisect else waiting[:1]
            outcomes = self._try_all(tried, len(done), len(done) + len(waiting))
            done |= {_identify(outcome.stage) for outcome in outcomes}
            self._outcomes += outcomes
            bad = [item for item in outcomes if item.status in {Status.UNDONE, Status.SKIPPED}]
            for outcome in bad:
                setbacks = _learn(setbacks, outcome)
            if bad:
                plan, setbacks = self._plan(wish, setbacks)

    def _provide(self, plan: Plan) -> dict[str, str]:
        """Install what is missing, if that is wished for; return the stages that lack something."""
        needed = (text for stage in plan.stages for text in stage.distributions)
        missing = find_missing(needed)
        if missing and self._manner.install:
            self._manner.tell(f"Installing {', '.join(missing)}", 0, 0)
            install(missing)
            return {}
        return {
            name: f"the new code needs {lacking[0]}, which is not installed here (--install)"
            for stage in plan.stages
            if (lacking := [text for text in stage.distributions if text in missing])
            for name in [f"route:{route}" for route in stage.routes] or [stage.id]
        }

    def _try_all(self, stages: list[Stage], done: int, count: int) -> list[StageOutcome]:
        """Write stages and prove them together; when a test turns red, each half by itself."""
        started = time.perf_counter()
        asked = [(stage, self._asks(stage)) for stage in stages]
        wanted = [stage for stage, is_wanted in asked if is_wanted]
        skipped = [
            StageOutcome(stage, Status.SKIPPED, "you left it out")
            for stage, is_wanted in asked
            if not is_wanted
        ]
        if not wanted:
            return skipped
        title = wanted[0].title if len(wanted) == 1 else f"{len(wanted)} steps together"
        self._manner.tell(title, done, count)
        snapshot = self._workspace.snapshot()
        try:
            self._workspace.write(self._render([*self._standing, *wanted]))
            red = self._find_red(wanted)
        except BaseException:
            self._workspace.rollback(snapshot)
            raise
        if not red:
            proved = Status.PROVED if self._before is not None else Status.APPLIED
            share_s = (time.perf_counter() - started) / len(wanted)
            kept = [self._keep(stage, proved, share_s) for stage in wanted]
            return [*kept, *skipped]
        self._workspace.rollback(snapshot)
        if len(wanted) == 1:
            tests = tuple(test for test, _ in red)
            reason = f"it turned {red[0][0]} red: {red[0][1]}"
            spent_s = time.perf_counter() - started
            return [StageOutcome(wanted[0], Status.UNDONE, reason, tests, spent_s), *skipped]
        return [*self._try_halves(wanted, done, count), *skipped]

    def _try_halves(self, stages: list[Stage], done: int, count: int) -> list[StageOutcome]:
        """Try the first half of some stages, then those of the second that can still be applied."""
        middle = len(stages) // 2
        outcomes = self._try_all(stages[:middle], done, count)
        gone = {Status.UNDONE, Status.SKIPPED}
        undone = {item.stage.id for item in outcomes if item.status in gone}
        rest = [stage for stage in stages[middle:] if undone.isdisjoint(stage.needs)]
        return outcomes + (self._try_all(rest, done + middle, count) if rest else [])

    def _asks(self, stage: Stage) -> bool:
        diff = self._build_diff(self._render([*self._standing, stage]), since=self._standing)
        return self._manner.accept(stage, diff)

    def _find_red(self, stages: list[Stage]) -> tuple[tuple[str, str], ...]:
        """Return the tests that turned red, each with the reason."""
        if self._before is None or all(item.kind is StageKind.DEPLOYMENT for item in stages):
            return ()
        return prove(self._before, self._root, choose_timeout(self._before)).turned_red

    def _keep(self, stage: Stage, status: Status, duration_s: float) -> StageOutcome:
        self._standing.append(stage)
        if stage.kind is StageKind.DEPLOYMENT:  # no test starts the server
            status = Status.APPLIED
        made = ""
        if self._manner.commit:
            # With several stages at once, the files are written again as of this one.
            texts = self._render(self._standing)
            self._workspace.write(texts)
            own = {get_span(change).file for change in stage.changes}
            made = commit(self._root, sorted(own), f"{stage.title}\n\n{_explain(stage)}")
        return StageOutcome(stage, status, duration_s=duration_s, commit=made)

    def _render(self, stages: Iterable[Stage]) -> dict[str, str]:
        """Return the new text of each file that stages change."""
        by_file: dict[str, dict[object, Change]] = {}
        for stage in stages:
            for change in stage.changes:
                key = change.edit if isinstance(change, TextChange) else change.span
                by_file.setdefault(get_span(change).file, {})[key] = change
        return {
            name: self._render_file(name, list(changes.values()))
            for name, changes in by_file.items()
        }

    def _render_file(self, name: str, changes: list[Change]) -> str:
        file = self._planner.files.get(name)
        if file is not None:
            if name not in self._held:
                self._workspace.hold({name: file.text})
                self._held.add(name)
            key = name, tuple(changes)
            if key not in self._rendered:
                files = self._planner.files
                self._rendered[key] = render(
                    file, changes, load_recipes(), files.exported, files=files, http=self._http
                )
            return self._rendered[key]
        edits = [change.edit for change in changes if isinstance(change, TextChange)]
        return EditedText(self._read(name), edits).text

    def _build_diff(self, texts: dict[str, str], since: Iterable[Stage] = ()) -> str:
        """Return the difference that texts make, as a unified diff."""
        before = self._render(since)
        return "".join(
            line
            for name in sorted(texts)
            for line in self._diff_file(name, before.get(name), texts[name])
        )

    def _diff_file(self, name: str, before: str | None, after: str) -> Iterator[str]:
        if before is None:
            file = self._planner.files.get(name)
            before = file.text if file is not None else self._read(name)
        is_new = not before and not (self._root / name).exists()
        old_name = "/dev/null" if is_new else f"a/{name}"
        for line in difflib.unified_diff(
            _split_lines(before), _split_lines(after), old_name, f"b/{name}"
        ):
            yield line if line.endswith("\n") else f"{line}\n{_NO_LAST_END}"

    def _read(self, name: str) -> str:
        """Return the text of a file that is no source as it was before; "" for a new one."""
        if not (self._root / name).exists():
            return ""
        self._workspace.read(name)  # it is held from now on
        return self._workspace.read_original(name)


def _check_proving(before: SuiteResult) -> None:
    """Refuse tests of which none can turn red."""
    if before.passed:
        return
    reasons = [*before.errors.values(), *before.failed.values()]
    why = f" ({reasons[0]})" if reasons else ""
    raise SuiteError(
        f"No test passes in {shlex.join(before.command)!r} before anything is changed{why}, so that"
        " it would prove nothing. Run it by itself in the project's folder until it passes, or"
        " leave out --test"
    )


def _split_lines(text: str) -> list[str]:
    """Return the lines of a text with their ends, as `patch` counts them."""
    return list(io.StringIO(text, newline="\n"))


def _identify(stage: Stage) -> tuple[str, tuple[Change, ...]]:
    """Return what tells a stage from an earlier one of the same name in another shape."""
    return stage.id, stage.changes


def _learn(setbacks: Setbacks, outcome: StageOutcome) -> Setbacks:
    """Return the setbacks with that of a stage which was undone or left out."""
    stage = outcome.stage
    if outcome.status is Status.UNDONE:
        for of_view in (False, True):
            plainer = _list_async(stage, of_view) - setbacks.plain
            if plainer:
                return replace(setbacks, plain=setbacks.plain | plainer)
    names = [f"route:{route}" for route in stage.routes] or [stage.id]
    reason = outcome.reason[0].upper() + outcome.reason[1:]
    return replace(setbacks, stages={**setbacks.stages, **dict.fromkeys(names, reason)})


def _list_async(stage: Stage, of_view: bool) -> frozenset[Span]:
    """Return the functions that a stage makes async: its views, or its helpers."""
    return frozenset(
        change.span
        for change in stage.changes
        if isinstance(change, FunctionChange)
        and change.colour is Colour.ASYNC
        and change.is_view is of_view
    )


def _explain(stage: Stage) -> str:
    """Return the body of the commit message of a stage."""
    lines = []
    for change in stage.changes:
        name = change.edit.file if isinstance(change, TextChange) else change.name
        lines.append(f"- {name}: {change.reason}.")
    return "\n".join(dict.fromkeys(lines))
