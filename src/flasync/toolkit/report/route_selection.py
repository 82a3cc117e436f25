"""A part of a report: some of its routes, and what is found on their way."""

from __future__ import annotations

import difflib
from dataclasses import replace
from fnmatch import fnmatchcase

from flasync.toolkit.finding import RouteReport, ScanReport
from flasync.toolkit.report.outline import identify_place


def select_routes(report: ScanReport, wanted: str) -> ScanReport:
    """Return the report of the routes that a user names, without what belongs to no route.

    Args:
        report: The whole report.
        wanted: A route's id, rule, endpoint or view, with `*` for anything. A part of an id does
            as well where nothing is named exactly.
    """
    routes = tuple(route for route in report.routes if _is_named(route, wanted))
    if not routes:
        routes = tuple(route for route in report.routes if wanted.lower() in route.id.lower())
    reached = {identify_place(hit.finding) for route in routes for hit in route.hits}
    findings = tuple(finding for finding in report.findings if identify_place(finding) in reached)
    return replace(report, routes=routes, findings=findings)


def suggest_routes(report: ScanReport, wanted: str) -> list[str]:
    """Return the ids of a few routes that look like what a user wrote."""
    names = {name: route.id for route in report.routes for name in _list_names(route)}
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    return list(dict.fromkeys(names[name] for name in close))


def _is_named(route: RouteReport, wanted: str) -> bool:
    # `<int:id>` has no meaning to fnmatch, `[` would have.
    pattern = wanted.replace("[", "[[]")
    return any(fnmatchcase(name, pattern) for name in _list_names(route))


def _list_names(route: RouteReport) -> tuple[str, ...]:
    return route.id, route.rule, route.endpoint, route.view
