"""Which call of the source an observed frame stands at."""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from pathlib import Path

from flasync.toolkit.finding import Finding, Place, ScanReport
from flasync.toolkit.graph import CallSite
from flasync.toolkit.observing.observation import Frame, ObservedPlace
from flasync.toolkit.rules.rule import Program

# Characters of a statement that is shown in place of a call's name.
_MOST_TEXT = 60


class SourceMatch:
    """Finds sites and findings of a scan by observed frames.

    An instruction knows the range of the expression that it was compiled from, which tells two
    calls of one line apart. Where a call has no such range (in a template), its line has to do.
    """

    def __init__(self, report: ScanReport, program: Program) -> None:
        self._root = report.root
        self._sources = program.sources
        self._sites: defaultdict[tuple[str, int], list[CallSite]] = defaultdict(list)
        self._knowledge = program.knowledge
        for function in (*program.functions, *program.outside):
            for site in function.sites:
                for line in _list_lines(site):
                    self._sites[site.place.file, line].append(site)
        self._findings: defaultdict[tuple[str, int], list[Finding]] = defaultdict(list)
        for finding in report.findings:
            self._findings[finding.place.file, finding.place.line].append(finding)

    def list_own(self, place: ObservedPlace) -> list[Frame]:
        """Return the frames of the project's own code, outermost first."""
        return [
            frame
            for frame in place.chain
            if self._sources.is_own(frame.file) or not frame.file.endswith(".py")
        ]

    def find_findings(self, frame: Frame) -> list[Finding]:
        """Return the findings about the call that a frame stands at."""
        sites = self.find_sites(frame)
        if sites:
            return [
                finding
                for site in sites[:1]
                for finding in self._findings[site.place.file, site.place.line]
                if finding.place == site.place
                and any(finding.subject in _list_subjects(one) for one in sites)
            ]
        name = self.name(frame)
        # A finding about a call of that line, and about none whose range is known to be another.
        others = [site for site in self._sites[name, frame.line] if _get_range(site) is not None]
        return [
            finding
            for finding in self._findings[name, frame.line]
            if frame.column is None
            or not any(
                finding.place == site.place and finding.subject in _list_subjects(site)
                for site in others
            )
        ]

    def find_sites(self, frame: Frame) -> list[CallSite]:
        """Return the sites of the call that a frame stands at, one for each way it is reached."""
        if frame.column is None or frame.end_column is None:
            return []
        start, end = (frame.line, frame.column), (frame.end_line, frame.end_column)
        sites = self._sites[self.name(frame), frame.line]
        return [site for site in sites if _is_at(site, start, end)]

    def locate(self, frame: Frame) -> Place:
        """Return the place of a frame, as findings have it."""
        source = self._sources.get(frame.file)
        if frame.column is None or source is None or frame.line > len(source.lines):
            return Place(self.name(frame), frame.line)
        before = source.lines[frame.line - 1].encode()[: frame.column]
        return Place(self.name(frame), frame.line, len(before.decode(errors="replace")) + 1)

    def quote(self, frame: Frame) -> str:
        """Return the call that a frame stands at as written, shortened: "plugin.run(…)"."""
        sites = self.find_sites(frame)
        if sites and sites[0].text:
            return sites[0].text
        source = self._sources.get(frame.file)
        if source is None or frame.line > len(source.lines):
            return f"line {frame.line}"
        text = source.lines[frame.line - 1]
        if frame.column is not None and frame.end_column is not None:
            end = frame.end_column if frame.end_line == frame.line else None
            text = text.encode()[frame.column : end].decode(errors="replace")
        head, bracket, _ = text.strip().partition("(")
        return f"{head}(…)" if bracket and head.strip() else text.strip()[:_MOST_TEXT]

    def find_kind(self, name: str) -> str:
        """Return what a callable is known to wait for, by its dotted name; "" if it is not."""
        entry = self._knowledge.find(name)
        return entry.blocking.kind.value if entry is not None and entry.blocking else ""

    def name(self, frame: Frame) -> str:
        """Return how reports call a frame's file."""
        return self._sources.name(Path(frame.file))

    def resolve(self, place: Place) -> str:
        """Return the absolute and resolved name of a place's file."""
        return os.path.realpath(Path(self._root, place.file))


def _list_lines(site: CallSite) -> range:
    first = site.place.line  # all there is, in a template
    return range(first, (getattr(site.node, "end_lineno", None) or first) + 1)


def _list_subjects(site: CallSite) -> tuple[str, ...]:
    return (*site.names, site.blocking.name) if site.blocking is not None else site.names


def _get_range(site: CallSite) -> tuple[tuple[int, int], tuple[int, int]] | None:
    node = site.node
    if not isinstance(node, ast.expr) or node.end_lineno is None or node.end_col_offset is None:
        return None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _is_at(site: CallSite, start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Return whether an instruction with that range is the call of a site.

    The range of a method's call that spans several lines begins at the method's name, so that
    tracebacks show that line.
    """
    reach = _get_range(site)
    if reach is None:
        return False
    if reach == (start, end):
        return True
    function = site.node.func if isinstance(site.node, ast.Call) else None
    if not isinstance(function, ast.Attribute) or function.end_lineno is None:
        return False
    begin = (function.end_lineno, (function.end_col_offset or 0) - len(function.attr))
    return function.end_lineno != reach[0][0] and begin == start
