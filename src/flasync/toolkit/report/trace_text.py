"""A trace for people, on a terminal or in a pipe."""

from __future__ import annotations

import inspect

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flasync.toolkit.report.terminal import Writer
from flasync.toolkit.report.trace_words import (
    STATES,
    build_trace_headline,
    build_trace_shares,
    describe_left_tasks,
    describe_step_action,
    describe_step_result,
    describe_variable,
    has_states,
    split_code,
)
from flasync.toolkit.report.wording import end_sentence, format_duration
from flasync.toolkit.tracing.trace import Step, Trace

# Columns of a terminal from which on the table has all its columns beside each other.
_WIDE = 90

_STATE_STYLES = {
    inspect.CORO_CREATED: "blue",
    inspect.CORO_RUNNING: "green",
    inspect.CORO_SUSPENDED: "yellow",
    inspect.CORO_CLOSED: "dim",
}


def print_trace(trace: Trace, console: Console) -> None:
    """Print what came of the request, its steps, and what is wrong."""
    writer = Writer(console)
    writer.write((build_trace_headline(trace), "bold"))
    writer.write(build_trace_shares(trace))
    writer.blank()
    if console.width >= _WIDE:
        writer.write_table(_build_table(writer, trace))
    else:
        _write_list(writer, trace)
    writer.blank()
    left = describe_left_tasks(trace)
    if left:
        writer.write(*_split(left))
        writer.blank()
    _write_states(writer, trace)
    _write_findings(writer, trace)


def _build_table(writer: Writer, trace: Trace) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Step", justify="right", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Action", ratio=5)
    table.add_column("State", no_wrap=True)
    table.add_column("Result", ratio=4)
    table.expand = True
    for step in trace.steps:
        action = _build_code(writer, describe_step_action(step, trace.strands))
        if step.place:
            action.append("\n").append_text(writer.text((step.place, "dim")))
        table.add_row(
            str(step.number),
            format_duration(step.at_ms),
            action,
            writer.text((step.state, _STATE_STYLES.get(step.state, ""))),
            _build_result(writer, step),
        )
    return table


def _build_result(writer: Writer, step: Step) -> Text:
    result = _build_code(writer, describe_step_result(step))
    if step.warning:
        result.stylize("red")
    for variable in step.variables:
        if result:
            result.append("\n")
        result.append_text(writer.text((describe_variable(variable), "cyan")))
    return result


def _build_code(writer: Writer, text: str) -> Text:
    return writer.text(*_split(text))


def _split(text: str) -> list[str | tuple[str, str]]:
    """Return the parts of a text, those of code in bold."""
    return [(part, "bold") if is_code else part for part, is_code in split_code(text)]


def _write_list(writer: Writer, trace: Trace) -> None:
    """Write the steps below each other, where there is no room for a table."""
    for step in trace.steps:
        action = describe_step_action(step, trace.strands)
        state = (f"  {step.state}", _STATE_STYLES.get(step.state, ""))
        writer.write(f"{step.number:>3}  ", (format_duration(step.at_ms), "dim"), "  ",
                     *_split(action), state, hanging=5)  # fmt: skip
        if step.place:
            writer.write((step.place, "dim"), indent=5)
        result = _build_result(writer, step)
        for line in result.split("\n"):
            if line:
                writer.write(line.plain, indent=5, hanging=2)


def _write_states(writer: Writer, trace: Trace) -> None:
    if not has_states(trace):
        return
    for state, meaning in STATES.items():
        writer.write((f"{state:<15}", _STATE_STYLES[state]), (meaning, "dim"), hanging=15)


def _write_findings(writer: Writer, trace: Trace) -> None:
    if not trace.findings:
        return
    writer.heading("What is wrong")
    for finding in trace.findings:
        number = f"Step {finding.step}: " if finding.step else ""
        writer.write((number, "red"), *_split(end_sentence(finding.sentence)), hanging=2)
