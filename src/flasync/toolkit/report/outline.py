"""A report in the order in which people read it: what one change mends stands together."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from flasync.toolkit.finding import Finding, Hit, RouteReport, ScanReport, Severity, Verdict
from flasync.toolkit.report.wording import KINDS

_SEVERITIES = list(Severity)
_KINDS = list(KINDS)


# How many routes at the top are as good to begin with as the first.
_FIRST_FEW = 8


class Section(enum.StrEnum):
    """A part of the report, by what its findings mean for the reader."""

    BLOCKING = "What the routes wait for"
    UNSAFE = "What goes wrong when requests overlap"
    SURROUNDINGS = "Extensions and deployment"
    UNREAD = "What could not be read"


_SECTIONS = {
    "FSY0": Section.UNREAD,
    "FSY1": Section.BLOCKING,
    "FSY2": Section.UNSAFE,
    "FSY3": Section.UNSAFE,
    "FSY4": Section.SURROUNDINGS,
    "FSY5": Section.SURROUNDINGS,
}


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule with the same advice: one change, or one kind of change, mends them.

    Attributes:
        findings: The most promising first.
        routes: The ids of all routes that reach one of them, in the report's order.
    """

    findings: tuple[Finding, ...]
    routes: tuple[str, ...]

    @property
    def head(self) -> Finding:
        """The first finding, whose code, rule and advice are the group's."""
        return self.findings[0]

    @property
    def waited_ms(self) -> float:
        """What was seen of its waiting, in all requests."""
        return sum(finding.observed.waited_ms for finding in self.findings if finding.observed)


class Outline:
    """The findings of a report in groups, with the ways from routes to them."""

    def __init__(self, report: ScanReport) -> None:
        self.report = report
        self._positions = {route.id: number for number, route in enumerate(report.routes)}
        self._reached: dict[tuple[object, ...], list[tuple[RouteReport, Hit]]] = {}
        for route in report.routes:
            for hit in route.hits:
                key = identify_place(hit.finding)
                self._reached.setdefault(key, []).append((route, _drop_placeless(hit)))

    def list_reaching(self, finding: Finding) -> list[tuple[RouteReport, Hit]]:
        """Return each route that reaches a finding and how, the best route first."""
        return self._reached.get(identify_place(finding), [])

    @cached_property
    def sections(self) -> dict[Section, list[Group]]:
        """The groups of each section that has any, the most promising first."""
        grouped: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.report.findings:
            grouped.setdefault((finding.code, finding.advice), []).append(finding)
        groups = sorted(map(self._build_group, grouped.values()), key=self._rank_group)
        return {
            section: members
            for section in Section
            if (members := [group for group in groups if find_section(group.head) is section])
        }

    @property
    def best_route(self) -> RouteReport | None:
        """The route to begin with, or None when none gains anything.

        Of the first few that gain, one that only answers GET: what is done there can be proven with
        `flasync verify`, which sends nothing else.
        """
        verdicts = (Verdict.FIXABLE, Verdict.OFFLOAD)
        gaining = [route for route in self.report.routes if route.verdict in verdicts]
        simple = (route for route in gaining[:_FIRST_FEW] if route.methods == ("GET",))
        return next(simple, gaining[0] if gaining else None)

    @property
    def widest_group(self) -> Group | None:
        """The blocking findings that are on the way of most routes, if there are several."""
        groups = [
            group
            for group in self.sections.get(Section.BLOCKING, [])
            if len(group.findings) > 1 and group.head.severity is not Severity.NOTE
        ]
        return max(groups, key=lambda group: (len(group.routes), len(group.findings)), default=None)

    @property
    def is_observed(self) -> bool:
        """Whether a run was observed for it."""
        return any(route.requests for route in self.report.routes)

    def _build_group(self, findings: Iterable[Finding]) -> Group:
        ordered = sorted(findings, key=self._rank_finding)
        reached = {route.id for finding in ordered for route, _ in self.list_reaching(finding)}
        routes = tuple(route.id for route in self.report.routes if route.id in reached)
        return Group(tuple(ordered), routes)

    def _rank_group(self, group: Group) -> tuple[object, ...]:
        head = group.head
        kind = _KINDS.index(head.kind) if head.kind in _KINDS else len(_KINDS)
        severity = _SEVERITIES.index(head.severity)
        # The way of the best route first: there the reader begins.
        best = min((self._positions[route] for route in group.routes), default=len(self._positions))
        routes = -len(group.routes)
        return -group.waited_ms, severity, kind, best, routes, head.code, head.place

    def _rank_finding(self, finding: Finding) -> tuple[object, ...]:
        waited_ms = finding.observed.waited_ms if finding.observed else 0.0
        severity = _SEVERITIES.index(finding.severity)
        return -waited_ms, severity, -len(self.list_reaching(finding)), finding.place


def find_section(finding: Finding) -> Section:
    """Return the part of the report that a finding belongs to."""
    return _SECTIONS.get(finding.code[:4], Section.SURROUNDINGS)


def _drop_placeless(hit: Hit) -> Hit:
    """Leave out of the chain what is in no file, such as what a decorator adds."""
    return replace(hit, chain=tuple(step for step in hit.chain if step.place.file))


def identify_place(finding: Finding) -> tuple[object, ...]:
    """Return what tells a finding from the others of its report, whatever was observed of it."""
    return finding.code, finding.place, finding.subject
