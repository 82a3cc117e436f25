"""The sentences about a trace that its reports share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from flasync.toolkit.report.wording import count, format_duration, join
from flasync.toolkit.tracing.trace import Action, Step, Strand, Trace, Variable

# What the four states of a coroutine mean, in the order of its life.
STATES = {
    inspect.CORO_CREATED: "made, none of its code has run",
    inspect.CORO_RUNNING: "its code runs now",
    inspect.CORO_SUSPENDED: "it waits, and the loop serves others",
    inspect.CORO_CLOSED: "it has ended",
}

# Milliseconds that would be written as "0.0 ms".
_SHORT_MS = 0.05
# Characters of a former value that are repeated beside the new one.
_LONGEST_BEFORE = 30
_CODE = re.compile(r"`([^`]+)`")


def build_trace_headline(trace: Trace) -> str:
    """Return what came of the request, in one sentence."""
    where = "on the event loop" if trace.lane == "loop" else "in a worker thread"
    what = f"{trace.method} {trace.path}"
    if trace.status is None:
        return f"{what} ran {where} and got no response in {format_duration(trace.duration_ms)}."
    size = count(trace.body_bytes, "byte")
    took = format_duration(trace.duration_ms)
    return f"{what} ran {where} and was answered with {trace.status}, {size}, in {took}."


def build_trace_shares(trace: Trace) -> str:
    """Return how much of its time the request waited, and who was served meanwhile."""
    if not trace.waited_ms:
        if trace.lane == "loop":
            return "It never paused: nobody else was served while it ran."
        return "It never paused; it had a thread of its own, so that others were served meanwhile."
    ran = format_duration(max(trace.duration_ms - trace.waited_ms, 0.0))
    waited = format_duration(trace.waited_ms)
    sentence = f"It ran for {ran} and was paused for {waited}."
    if not trace.beside:
        return sentence
    others = f"{trace.beside} other such request{'s' if trace.beside > 1 else ''}"
    return f"{sentence} {others} came in meanwhile."


def describe_left_tasks(trace: Trace) -> str:
    """Return which tasks were not done when the trace ended; "" if all were."""
    left = [f"`{strand.name}`" for strand in trace.strands if strand.number and not strand.end_ms]
    if not left:
        return ""
    are = "task was" if len(left) == 1 else "tasks were"
    return f"{len(left)} {are} not done when the trace ended: {join(left)}."


def has_states(trace: Trace) -> bool:
    """Whether coroutines were at work, whose states a reader may want explained."""
    return any(step.state in STATES for step in trace.steps)


def describe_step_action(step: Step, strands: tuple[Strand, ...]) -> str:
    """Return what happens in a step, with the task that it happens in."""
    if not step.strand or step.action in {Action.TASK_STARTED, Action.TASK_ENDED}:
        name = ""
        if step.strand:
            name = strands[step.strand].name.partition(", ")[2]
        return f"{step.text} ({name})" if name else step.text
    return f"{strands[step.strand].name.partition(', ')[2]}: {step.text}"


def describe_step_result(step: Step) -> str:
    """Return what came of a step, with its length where no words tell that."""
    parts = [step.result] if step.result else []
    if step.duration_ms is not None and step.action in {Action.HOOK, Action.TASK_ENDED}:
        is_short = step.duration_ms < _SHORT_MS
        took = "no time" if is_short else format_duration(step.duration_ms)
        parts.append(f"took {took}")
    if step.repeats:
        parts.append(f"and {step.repeats:,} times more")
    return "; ".join(parts)


def describe_variable(variable: Variable) -> str:
    """Return how a variable has changed."""
    if not variable.value:
        return f"{variable.name} is gone"
    is_short = 0 < len(variable.before) <= _LONGEST_BEFORE
    was = f" (was {variable.before})" if is_short else ""
    return f"{variable.name} = {variable.value}{was}"


def split_code(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text, and whether each stood between backticks."""
    for number, part in enumerate(_CODE.split(text)):
        if part:
            yield part, bool(number % 2)
