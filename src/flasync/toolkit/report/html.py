"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import jinja2
import markupsafe

from flasync.toolkit.finding import Finding, Hit, RouteReport, ScanReport
from flasync.toolkit.report.next_steps import list_next_steps
from flasync.toolkit.report.outline import Group, Outline, identify_place
from flasync.toolkit.report.route_table import format_waiting
from flasync.toolkit.report.source_lines import SourceLines
from flasync.toolkit.report.summary import (
    WHY_WAITING_MATTERS,
    build_best_start,
    build_headline,
    build_scope,
    build_widest_change,
    list_remarks,
    list_verdicts,
)
from flasync.toolkit.report.wording import (
    count,
    describe_entry,
    describe_evidence,
    describe_waiting,
    end_sentence,
    shorten_function,
    shorten_place,
)

_TEMPLATE = "page.html"
_STYLE = "style.css"

# Characters that nobody sees and that turn the order of others around, and control characters that
# are no white space. In a name that a project chose, they could make the page say something else.
HIDDEN = dict.fromkeys(
    (
        *(*range(9), 11, *range(14, 32), *range(127, 160)),
        *(0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    ),
    "\ufffd",
)


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding as the page shows it.

    Attributes:
        finding: What was found.
        anchor: The id of its element.
        line: Its source line.
        ways: Each route that reaches it, and how.
    """

    finding: Finding
    anchor: str
    line: str
    ways: list[tuple[RouteReport, Hit]]

    @property
    def routes(self) -> list[str]:
        """The routes that reach it."""
        return [route.id for route, _ in self.ways]


def build_environment() -> jinja2.Environment:
    """Return the Jinja environment of the pages, with what all of them use."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(sentence=end_sentence, spans=mark_code)
    environment.globals.update(
        style=markupsafe.Markup(read_part(_STYLE)),  # noqa: S704  a file of this package
        version=version("flasync"),
    )
    return environment


def read_part(name: str) -> str:
    """Return the text of a file of this package that pages are made of."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def render_page(environment: jinja2.Environment, template: str, **values: Any) -> str:
    """Return the page that a template of this package makes of some values."""
    page = environment.from_string(read_part(template)).render(values)
    return page.translate(HIDDEN)


def build_html(report: ScanReport, import_path: str | None = None) -> str:
    """Return the page.

    Args:
        report: What was found.
        import_path: As the user named the app, for the commands to type.
    """
    environment = build_environment()
    environment.globals.update(
        count=count,
        describe_entry=describe_entry,
        describe_evidence=describe_evidence,
        describe_waiting=describe_waiting,
        format_waiting=format_waiting,
        shorten_function=shorten_function,
        shorten_place=shorten_place,
    )
    outline = Outline(report)
    anchors = _Anchors(outline)
    return render_page(
        environment,
        _TEMPLATE,
        report=report,
        headline=build_headline(report),
        why=WHY_WAITING_MATTERS if outline.best_route is not None else "",
        best_start=build_best_start(outline),
        widest_change=build_widest_change(outline),
        scope=build_scope(report),
        remarks=list(list_remarks(outline)),
        verdicts=list(list_verdicts(report)),
        is_observed=outline.is_observed,
        anchor_of=anchors.get,
        sort_hits=anchors.sort_hits,
        sections=[
            (section.value, [(group, list(anchors.list_entries(group))) for group in groups])
            for section, groups in outline.sections.items()
        ],
        steps=list(list_next_steps(outline, import_path)),
    )


def mark_code(text: str) -> markupsafe.Markup:
    """Return a text as HTML, with what stands between backticks as code."""
    parts = re.split(r"`([^`]+)`", text)
    code = markupsafe.Markup("<code>{}</code>")
    return markupsafe.Markup("").join(
        code.format(part) if number % 2 else part for number, part in enumerate(parts)
    )


class _Anchors:
    """Gives each finding an anchor that stays the same in the whole page."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._lines = SourceLines(outline.report.root)
        groups = itertools.chain.from_iterable(outline.sections.values())
        findings = itertools.chain.from_iterable(group.findings for group in groups)
        places = dict.fromkeys(map(identify_place, findings))
        self._order = {place: number for number, place in enumerate(places, 1)}

    def get(self, finding: Finding) -> str:
        return f"f{self._order[identify_place(finding)]}"

    def sort_hits(self, route: RouteReport) -> list[Hit]:
        """Return what a route reaches in the order of the page."""
        return sorted(route.hits, key=lambda hit: self._order[identify_place(hit.finding)])

    def list_entries(self, group: Group) -> Iterator[FindingEntry]:
        for finding in group.findings:
            yield FindingEntry(
                finding=finding,
                anchor=self.get(finding),
                line=self._lines.get(finding.place),
                ways=self._outline.list_reaching(finding),
            )
