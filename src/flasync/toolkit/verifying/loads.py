"""One load: requests one after another, then many at once, with the bystander watched meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from flasync.toolkit.verifying import pings
from flasync.toolkit.verifying.evidence import RequestEvidence
from flasync.toolkit.verifying.judging import describe_failures
from flasync.toolkit.verifying.run import Load, Mark, Request
from flasync.toolkit.verifying.sending import Answer, Exchange, Question, send
from flasync.toolkit.verifying.server_timing import NAME, build_marks, parse_server_timing
from flasync.toolkit.verifying.stacks import Stack

# Baseline requests, sent one after another: of short ones more, as a machine that does something
# else for a moment is slow for several of them, until they have taken this many milliseconds
# together; fewer once they have taken the second number, so that slow routes take no minutes.
_BASELINE_REQUESTS = range(3, 16)
_BASELINE_ENOUGH_MS = 50.0
_BASELINE_BUDGET_MS = 1000.0

_SERVER_TIMING = NAME.lower()

# Seconds until the witness has written what it saw of the last request.
_EVIDENCE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """What is sent to a stack."""

    question: Question
    count: int
    timeout_s: float
    bystander_url: str | None
    """None: no bystander is asked."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was seen of a load."""

    load: Load
    lane: str | None
    """Either "loop" or "thread"; None: nobody inside told."""
    answers: tuple[Answer, ...]
    """Of the baseline, with their bodies."""

    @property
    def has_failed(self) -> bool:
        """Whether a request had no response."""
        return any(request.status is None for request in self.requests)

    @property
    def requests(self) -> tuple[Request, ...]:
        """All that were sent."""
        return (*self.load.baseline, *self.load.requests)


def choose_measurement(measurements: Sequence[Measurement]) -> Measurement:
    """Return the one that counts: the first whose requests failed, else that of the median time.

    A failure that only some of the loads have would be lost with those that are left out.
    """
    ordered = sorted(measurements, key=lambda measurement: measurement.load.wall_ms)
    median = ordered[len(ordered) // 2]
    return next((each for each in measurements if describe_failures(each.requests)), median)


def run_load(
    stack: Stack, order: LoadOrder, tell: Callable[[int], object] = lambda answered: None
) -> Measurement:
    """Send the requests and return what was seen, from outside and from inside.

    Args:
        stack: What is asked.
        order: What is sent.
        tell: Called with the number of requests sent at once that have ended, after each.

    Raises:
        AppStartError: The server has ended.
    """
    alone = _send_alone(order)
    with _watch(order) as watch:
        cpu_ms = stack.read_cpu_ms()
        together = _send_together(order, alone, tell)
        cpu_after_ms = stack.read_cpu_ms()
    exchanges = (*alone, together)
    inside = _collect(stack, exchanges)
    calm, during = watch.split(together)
    load = Load(
        baseline=tuple(request for sent in alone for request in _add_marks(sent, inside)),
        requests=_add_marks(together, inside),
        calm=calm,
        pings=during,
        cpu_ms=None if cpu_ms is None or cpu_after_ms is None else cpu_after_ms - cpu_ms,
        wall_ms=together.wall_ms,
    )
    lane = next((seen.lane for seen in inside.values()), None)
    answers = tuple(answer for sent in alone for answer in sent.answers)
    measurement = Measurement(load, lane, answers)
    if measurement.has_failed:
        stack.check_alive()
    return measurement


def _send_alone(order: LoadOrder) -> list[Exchange]:
    """Send requests one after another; a first one, that warms up, is kept only if it failed."""
    kept: list[Exchange] = []
    is_warm = False
    while not _has_enough(kept):
        sent = send(order.question, 1, order.timeout_s, keep_bodies=True)
        if is_warm or sent.answers[0].request.failure is not None:
            kept.append(sent)
        is_warm = True
    return kept


def _has_enough(alone: list[Exchange]) -> bool:
    if len(alone) < _BASELINE_REQUESTS.start:
        return _has_spent_budget(alone)
    spent_ms = sum(sent.wall_ms for sent in alone)
    return spent_ms >= _BASELINE_ENOUGH_MS or len(alone) >= _BASELINE_REQUESTS.stop - 1


def _send_together(
    order: LoadOrder, alone: list[Exchange], tell: Callable[[int], object]
) -> Exchange:
    """Send the load; where a request alone has no end, as an endless stream has none, that is it.

    Each of many would take its whole time to fail as well, and say no more.
    """
    if alone[-1].answers[0].request.status is None and _has_spent_budget(alone):
        return alone[-1]
    return send(order.question, order.count, order.timeout_s, tell=tell)


def _has_spent_budget(alone: list[Exchange]) -> bool:
    return sum(sent.wall_ms for sent in alone) >= _BASELINE_BUDGET_MS


def _watch(order: LoadOrder) -> AbstractContextManager[pings.Watch]:
    if order.bystander_url is None:
        return nullcontext(pings.Watch())
    return pings.watch(order.bystander_url, order.question.headers, order.timeout_s)


def _collect(stack: Stack, exchanges: Iterable[Exchange]) -> dict[str, RequestEvidence]:
    """Return what the witness tells of the requests that were answered."""
    if stack.evidence is None:
        return {}
    answers = [answer for sent in exchanges for answer in sent.answers]
    ids = {answer.id for answer in answers if answer.request.status is not None}
    return stack.evidence.collect(ids, _EVIDENCE_TIMEOUT_S)


def _add_marks(sent: Exchange, inside: dict[str, RequestEvidence]) -> tuple[Request, ...]:
    return tuple(
        replace(answer.request, marks=_find_marks(answer, sent.origin_ms, inside))
        for answer in sent.answers
    )


def _find_marks(
    answer: Answer, origin_ms: float, inside: dict[str, RequestEvidence]
) -> tuple[Mark, ...]:
    """Return the marks by the evidence, on the clock of the load, or by the header's sums."""
    if answer.id in inside:
        return tuple(
            replace(mark, start_ms=mark.start_ms - origin_ms, end_ms=mark.end_ms - origin_ms)
            for mark in inside[answer.id].marks
        )
    told = ", ".join(value for name, value in answer.headers if name.lower() == _SERVER_TIMING)
    # The header is built as the response starts.
    return build_marks(parse_server_timing(told), answer.request.first_byte_ms or 0.0)
