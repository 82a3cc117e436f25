"""A trace as one HTML file that needs nothing else: a timeline, then its steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.report.html import build_environment, render_page
from flasync.toolkit.report.trace_words import (
    STATES,
    build_trace_headline,
    build_trace_shares,
    describe_left_tasks,
    describe_step_action,
    describe_step_result,
    describe_variable,
    has_states,
)
from flasync.toolkit.report.wording import format_duration
from flasync.toolkit.tracing.trace import Action, Step, Strand, Trace

_TEMPLATE = "trace.html"

# Lines of the time scale, about.
_SCALE_LINES = 6

_PART_KINDS = {
    Action.PAUSED: "paused",
    Action.QUEUED: "queued",
    Action.HELD: "held",
    Action.BUSY: "busy",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a strand's bar: where it begins and how long it is, in hundredths of the width."""

    kind: str
    left: float
    width: float
    title: str
    step: int


@dataclass(frozen=True, slots=True)
class Row:
    """A strand with its bar, and how deep below the request it was made."""

    strand: Strand
    depth: int
    bar: Part
    parts: tuple[Part, ...]


def build_trace_html(trace: Trace) -> str:
    """Return the page."""
    environment = build_environment()
    environment.globals.update(
        describe_action=describe_step_action,
        describe_result=describe_step_result,
        describe_variable=describe_variable,
        format_duration=format_duration,
    )
    rows = list(_list_rows(trace))
    return render_page(
        environment,
        _TEMPLATE,
        trace=trace,
        headline=build_trace_headline(trace),
        shares=build_trace_shares(trace),
        left=describe_left_tasks(trace),
        rows=rows,
        kinds={part.kind for row in rows for part in row.parts},
        marks=list(_list_marks(_get_width(trace))),
        states=STATES if has_states(trace) else {},
        histories=_list_histories(trace),
    )


def _get_width(trace: Trace) -> float:
    """Return the milliseconds that the timeline is wide."""
    ends = [trace.duration_ms, *(step.at_ms for step in trace.steps)]
    return max(*ends, 0.001)


def _list_rows(trace: Trace) -> Iterator[Row]:
    scale = 100 / _get_width(trace)
    depths: dict[int, int] = {}
    for strand in trace.strands:
        depth = depths[strand.number] = (
            0 if strand.parent is None else depths.get(strand.parent, 0) + 1
        )
        end_ms = _get_width(trace) if strand.end_ms is None else strand.end_ms
        left, width = strand.start_ms * scale, (end_ms - strand.start_ms) * scale
        title = f"{strand.name}: {format_duration(end_ms - strand.start_ms)}"
        parts = tuple(
            _build_part(step, scale)
            for step in trace.steps
            if step.strand == strand.number and step.action in _PART_KINDS and step.duration_ms
        )
        yield Row(strand, depth, Part("running", left, width, title, 0), parts)


def _build_part(step: Step, scale: float) -> Part:
    length_ms = step.duration_ms or 0.0
    title = f"{step.text.replace('`', '')} {step.place}: {format_duration(length_ms)}"
    return Part(_PART_KINDS[step.action], step.at_ms * scale, length_ms * scale, title, step.number)


def _list_marks(width_ms: float) -> Iterator[tuple[float, str]]:
    """Yield round times with their position, in hundredths of the width."""
    rough = width_ms / _SCALE_LINES
    power = 10 ** math.floor(math.log10(rough))
    length_ms = next(item * power for item in (1, 2, 5, 10) if item * power >= rough)
    for number in range(int(width_ms / length_ms) + 1):
        at_ms = number * length_ms
        yield at_ms / width_ms * 100, format_duration(at_ms) if number else "0"


def _list_histories(trace: Trace) -> list[tuple[str, list[tuple[int, str]]]]:
    """Return the variables with the values that each has had, and the step of each value."""
    histories: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for step in trace.steps:
        for item in step.variables:
            value = item.value or "gone"
            histories.setdefault((step.strand, item.name), []).append((step.number, value))
    names = {strand.number: strand.name for strand in trace.strands if strand.number}
    return [
        (f"{name} ({names[number]})" if number in names else name, values)
        for (number, name), values in histories.items()
    ]
