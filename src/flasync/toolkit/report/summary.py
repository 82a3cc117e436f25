"""The verdict on the whole app in a few sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flasync.toolkit.finding import RouteReport, ScanReport, Severity, Verdict
from flasync.toolkit.report.outline import Outline
from flasync.toolkit.report.wording import (
    KINDS,
    VERDICTS,
    count,
    end_sentence,
    format_duration,
    format_share,
    join,
    sort_kinds,
)

WHY_WAITING_MATTERS = (
    "A worker that waits serves nobody else. If async code awaits the same thing, its process"
    " serves other requests meanwhile."
)


def build_headline(report: ScanReport) -> str:
    """Return one sentence: how many routes wait, and for what."""
    routes = len(report.routes)
    if not routes:
        return f"{report.app} has no route of its own that could be scanned."
    waiting = [route for route in report.routes if _list_kinds(route)]
    if not waiting:
        found = count(routes, "route")
        return f"Nothing that blocks was found on the way of the {found} of {report.app}."
    kinds = Counter(kind for route in waiting for kind in _list_kinds(route))
    parts = [f"{KINDS.get(kind, kind)} ({kinds[kind]:,})" for kind in sort_kinds(kinds)]
    if routes == 1:
        who = f"The one route of {report.app} waits while it answers"
    elif len(waiting) == routes:
        who = f"All {routes:,} routes of {report.app} wait while they answer"
    else:
        who = f"{len(waiting):,} of the {routes:,} routes of {report.app} wait while they answer"
    return f"{who}, for {join(parts)}."


def build_best_start(outline: Outline) -> str:
    """Return a sentence on the route to begin with; empty when nothing is to gain."""
    route = outline.best_route
    if route is None or not _list_kinds(route):
        return ""
    if route.waiting_share is not None and route.mean_ms is not None:
        return (
            f"Begin with {route.id}: of its {format_duration(route.mean_ms)} it waited"
            f" {format_share(route.waiting_share)}, which is the most that async can gain there."
        )
    kinds = sort_kinds(_list_kinds(route, "view") or _list_kinds(route))
    waiting = join([KINDS.get(kind, kind) for kind in kinds])
    awaitable = ", and all of that can be awaited" if route.verdict is Verdict.FIXABLE else ""
    return f"Begin with {route.id}. It waits for {waiting}{awaitable}."


def build_widest_change(outline: Outline) -> str:
    """Return a sentence on the change that helps most routes; empty when there is no such one."""
    group = outline.widest_group
    if group is None or len(group.routes) <= 1:
        return ""
    places, routes = count(len(group.findings), "place"), count(len(group.routes), "route")
    return f"One kind of change reaches {places} on {routes}: {end_sentence(group.head.advice)}"


def list_verdicts(report: ScanReport) -> Iterator[tuple[Verdict, int, str]]:
    """Yield each verdict that a route got, for how many, and what it means."""
    counts = Counter(route.verdict for route in report.routes)
    for verdict, meaning in VERDICTS.items():
        if counts[verdict]:
            yield verdict, counts[verdict], meaning


def build_scope(report: ScanReport) -> str:
    """Return what was read and how long it took."""
    files = count(report.files, "file")
    lines = count(report.lines, "line")
    took = format_duration(report.duration_s * 1000)
    if report.mode == "static":
        return f"Read {files} ({lines}) in {took}. The app was not imported."
    imported = format_duration(report.import_s * 1000)
    return (
        f"Imported the app ({imported}) and read {files} ({lines}): {took} in all. No view was run."
    )


def list_remarks(outline: Outline) -> Iterator[str]:
    """Yield what the reader must know besides: notes, what is hidden, what is not known."""
    report = outline.report
    yield from report.notes
    unresolved = {call for route in report.routes for call in route.unresolved}
    if unresolved:
        calls = count(len(unresolved), "call")
        yield f"{calls} could not be followed, as the target is not known."
    if report.suppressed:
        hidden = count(report.suppressed, "finding")
        yield f"{hidden} hidden by noqa comments, the settings or the baseline."
    errors = sum(finding.severity is Severity.ERROR for finding in report.findings)
    if errors:
        are = "is an error and does" if errors == 1 else "are errors and do"
        yield f"{count(errors, 'finding')} {are} harm today, before any change."


def _list_kinds(route: RouteReport, entry: str = "") -> set[str]:
    """Return what a route waits for, computing left out.

    Args:
        route: The route.
        entry: Counts what is reached from such functions alone; empty: from all.
    """
    return {
        hit.finding.kind
        for hit in route.hits
        if hit.finding.kind not in ("", "cpu") and entry in ("", hit.entry)
    }
