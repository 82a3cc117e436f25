"""The words that the reports of a migration share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from flasync.toolkit.migration.outcome import MigrationReport, count_ways
from flasync.toolkit.migration.plan import CallChange, Left, Stage, StageKind
from flasync.toolkit.report.next_steps import NextStep
from flasync.toolkit.report.wording import count, end_sentence

WHY_LOOP = (
    "A request that waits there holds no thread, so that one worker serves many others meanwhile."
)
_WAYS = {
    "rewrite": "awaited: an async twin of it, or a function of yours that became async",
    "bridge": "through an async client or driver behind a sync face; the code stays as it is",
    "offload": "handed to a thread, for which the request waits without holding up others",
}
_BRIDGES = frozenset({StageKind.DATABASE, StageKind.CLIENT})
# A word that is a name in code, whose first letter is part of it.
_NAME = re.compile(r"\S*[._(@/]\S")


def build_migration_headline(report: MigrationReport) -> str:
    """Return how many routes moved, or can, and how many stay."""
    moved, left = len(report.moved), len(report.left)
    verb = "moved" if report.is_written else "can move"
    total = moved + left + len(report.moved_before)
    stay = "stays as it is" if left == 1 else "stay as they are"
    return (
        f"{moved} of {count(total, 'route')} of {report.app} {verb} onto the event loop;"
        f" {left} {stay}."
    )


def list_ways(report: MigrationReport) -> list[tuple[str, str, str]]:
    """Return how much is freed in each way: how many calls or routes, the way, its meaning."""
    ways = count_ways(report.standing)
    counts = {way: count(number, "call") for way, number in ways.items()}
    bridged = _count_bridged(report.standing)
    if bridged:
        counts["bridge"] = count(bridged, "route")
    return [(counts[way], way, meaning) for way, meaning in _WAYS.items() if way in counts]


def describe_proof(report: MigrationReport) -> str:
    """Return what is known of the changes: nothing written, not tested, or tested."""
    if not report.is_written:
        return "Nothing was changed: this is what --write would do."
    if report.tests_passed is None:
        if not report.outcomes:
            return "Nothing was changed."
        return 'No test was run: --test "pytest -q" proves each step.'
    passed = count(report.tests_passed, "test")
    red = count(len(report.tests_red_before), "test")
    before = f"; {red} failed before as well" if report.tests_red_before else ""
    return f"Your tests ran before and after: all of the {passed} that passed still pass{before}."


def list_migration_next(report: MigrationReport, import_path: str | None) -> Iterator[NextStep]:
    """Yield what to do next, in order.

    Args:
        report: What was done, or would be.
        import_path: As the user named the app; None when it was found without a name.
    """
    app = f" --app {shlex.quote(import_path)}" if import_path else ""
    if not report.outcomes:
        return
    if not report.is_written:
        needed = any(outcome.stage.distributions for outcome in report.outcomes)
        install = " --install" if needed else ""
        yield NextStep(
            "Make the changes, each proved by your tests:",
            (f'flasync migrate{app} --write{install} --test "pytest -q"',),
        )
        return
    if not report.moved:
        return
    if not any(outcome.commit for outcome in report.outcomes):
        yield NextStep("Read what was changed; `git checkout .` takes it back:", ("git diff",))
    path = next(_list_paths(report), None)
    if path is not None:
        yield NextStep(
            "See that requests overlap, with your real database and services:",
            (f"flasync verify{app} {shlex.quote(path)}",),
        )
    yield NextStep("Serve it on the event loop:", (f"flasync serve{app}",))


def group_left(left: tuple[Left, ...]) -> list[tuple[str, str, list[Left]]]:
    """Return the routes that stay by reason and advice, the most common first."""
    groups: dict[tuple[str, str], list[Left]] = {}
    for item in left:
        groups.setdefault((item.reason, item.advice), []).append(item)
    found = [(start_sentence(reason), advice, items) for (reason, advice), items in groups.items()]
    return sorted(found, key=lambda group: -len(group[2]))


def start_sentence(text: str) -> str:
    """Return the end of a sentence as one of its own: a capital letter first, a full stop last."""
    start = text if _NAME.match(text) else text[:1].upper() + text[1:]
    return end_sentence(start)


def _count_bridged(stages: tuple[Stage, ...]) -> int:
    """Return how many routes wait through clients or drivers that became async."""
    bridges = {stage.id for stage in stages if stage.kind in _BRIDGES}
    return sum(len(stage.routes) for stage in stages if not bridges.isdisjoint(stage.needs))


def _list_paths(report: MigrationReport) -> Iterator[str]:
    """Yield the paths of routes that moved and can be asked for, those that wait the most first."""
    found = [
        (_fill(route.rpartition(" ")[2]), stage)
        for stage in report.standing
        for route in stage.routes
        if "GET" in route.rpartition(" ")[0].split(", ")
    ]
    yield from (path for path, _ in sorted(found, key=lambda item: _rank(*item)))


def _rank(path: str, stage: Stage) -> tuple[bool, bool]:
    waits = any(isinstance(change, CallChange) for change in stage.changes)
    return not waits, any(letter.isupper() for letter in path)


def _fill(rule: str) -> str:
    """Return a rule as a path, with the names of its variables in capitals to be replaced."""
    return re.sub(r"<(?:[^<>]*:)?([^<>:]+)>", lambda match: match[1].upper(), rule)
