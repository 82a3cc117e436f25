"""Merging what was observed into what the source says."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

from flasync.toolkit.finding import Evidence, Finding, RouteReport, ScanReport
from flasync.toolkit.knowledge import Kind
from flasync.toolkit.observing.discoveries import Discoveries, add_up
from flasync.toolkit.observing.observation import Observation, ObservedPlace, ObservedRoute
from flasync.toolkit.observing.source_match import SourceMatch
from flasync.toolkit.rules.rule import Program

# Milliseconds of computing a request from which a finding about computing is confirmed.
MIN_CPU_MS = 1.0


def list_lines(report: ScanReport) -> dict[str, set[int]]:
    """Return the lines of a report's findings in Python files, by absolute, resolved file name."""
    lines: defaultdict[str, set[int]] = defaultdict(set)
    for finding in report.findings:
        if finding.place.file.endswith(".py"):
            file = os.path.realpath(Path(report.root, finding.place.file))
            lines[file].add(finding.place.line)
    return dict(lines)


def merge(report: ScanReport, observation: Observation, program: Program) -> ScanReport:
    """Return a report with what was observed.

    Findings get their evidence: confirmed where requests were seen to wait (or, for a finding
    about computing, to compute) at their call; unreached where the run never came. Places that
    wait without a finding become findings of FSY199, as hits of their routes as well. Routes get
    their requests and times; their verdicts and their order stay.
    """
    match = SourceMatch(report, program)
    pairs = list(_pair_routes(report, observation, program))
    seen: defaultdict[Finding, list[ObservedPlace]] = defaultdict(list)
    discoveries = Discoveries(match)
    for route, one in pairs:
        for place in one.places:
            findings = _find_findings(match, place)
            for finding in findings:
                seen[finding].append(place)
            if not findings:
                discoveries.add(route, place)
    updated = {
        finding: _update(finding, seen.get(finding, []), observation, match)
        for finding in report.findings
    }
    added = discoveries.build()
    routes = [
        _update_route(route, [one for known, one in pairs if known is route], updated)
        for route in report.routes
    ]
    return dataclasses.replace(
        report,
        findings=tuple(sorted((*updated.values(), *added), key=attrgetter("place", "code"))),
        routes=tuple(
            dataclasses.replace(new, hits=(*new.hits, *discoveries.list_hits(old)))
            for old, new in zip(report.routes, routes, strict=True)
        ),
        notes=(*report.notes, *observation.notes),
    )


# --- routes ------------------------------------------------------------------------------------


def _pair_routes(
    report: ScanReport, observation: Observation, program: Program
) -> Iterator[tuple[RouteReport | None, ObservedRoute]]:
    """Yield each observed route with the route of the report that it is, or None."""
    name = program.app.import_name if program.app is not None else None
    names = Counter(
        (one.method, one.rule, one.endpoint, one.app == name) for one in observation.routes
    )
    for one in observation.routes:
        # Another app of the same process may have the same rule; one that is run as a program
        # has another name than when it is imported.
        is_other = one.app != name and names[one.method, one.rule, one.endpoint, True]
        found = None if is_other else _find_route(report, one)
        yield found, one


def _find_route(report: ScanReport, one: ObservedRoute) -> RouteReport | None:
    routes = [
        route for route in report.routes if (route.rule, route.endpoint) == (one.rule, one.endpoint)
    ]
    for method in (one.method, "GET" if one.method == "HEAD" else ""):
        for route in routes:
            if method in route.methods:
                return route
    return None


def _update_route(
    route: RouteReport,
    observed: list[ObservedRoute],
    updated: dict[Finding, Finding],
) -> RouteReport:
    requests = sum(one.requests for one in observed)
    wall_ms = sum(one.wall_ms for one in observed)
    waited_ms = sum(one.waited_ms for one in observed)
    hits = [
        dataclasses.replace(hit, finding=updated.get(hit.finding, hit.finding))
        for hit in route.hits
    ]
    return dataclasses.replace(
        route,
        hits=tuple(hits),
        requests=requests,
        mean_ms=wall_ms / requests if requests else None,
        waiting_share=min(waited_ms / wall_ms, 1.0) if requests and wall_ms else None,
    )


# --- findings of the source --------------------------------------------------------------------


def _find_findings(match: SourceMatch, place: ObservedPlace) -> list[Finding]:
    """Return the findings that a place is evidence for: those of the innermost frame with any."""
    for frame in reversed(match.list_own(place)):
        found = [finding for finding in match.find_findings(frame) if _shows(place, finding)]
        if found:
            return found
    return []


def _shows(place: ObservedPlace, finding: Finding) -> bool:
    if finding.kind == Kind.CPU:
        return place.cpu_ms >= MIN_CPU_MS * max(place.computes, 1)
    return bool(place.waits)


def _update(
    finding: Finding, places: list[ObservedPlace], observation: Observation, match: SourceMatch
) -> Finding:
    if places:
        observed = add_up(places, computes=finding.kind == Kind.CPU)
        return dataclasses.replace(finding, evidence=Evidence.CONFIRMED, observed=observed)
    if finding.routes and observation.reached is not None:
        reached = observation.reached.get(match.resolve(finding.place))
        if reached is not None and finding.place.line not in reached:
            return dataclasses.replace(finding, evidence=Evidence.UNREACHED)
    return finding
