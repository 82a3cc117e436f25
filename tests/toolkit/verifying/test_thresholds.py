"""Limits that a run must keep to."""

from dataclasses import replace

import pytest

from flasync.toolkit.verifying.run import Run
from flasync.toolkit.verifying.thresholds import Thresholds, list_breaches, list_failed_verdicts
from toolkit.verifying.sample_runs import (
    COMPARED,
    COMPUTING,
    FAILING,
    FAST,
    OVERLAPPING,
    POOLED,
    SERIAL,
    SEVERAL,
)

STRICT = Thresholds(min_overlap=15, max_p99_ms=100, max_bystander_ms=50)


@pytest.mark.parametrize(
    ("run", "failed"), [(OVERLAPPING, 0), (SERIAL, 1), (POOLED, 1), (FAST, 0), (COMPUTING, 0)]
)
def test_verdicts_that_fail(run: Run, failed: int) -> None:
    """Requests that do not overlap, or too few of them, fail; those that cannot gain do not."""
    assert len(list(list_failed_verdicts(run))) == failed


def test_failed_verdict_has_its_route() -> None:
    """Each is told with the route."""
    routes = [sentence.split(":")[0] for sentence in list_failed_verdicts(SEVERAL)]
    assert routes == ["GET /prices", "GET /orders", "GET /catalogue", "GET /cart"]


def test_nothing_asked_is_nothing_broken() -> None:
    """Without thresholds the verdicts alone count."""
    assert not list(list_breaches(SEVERAL, Thresholds()))


@pytest.mark.parametrize(
    ("run", "breaches"),
    [
        (OVERLAPPING, ["the p99 is 245 ms, --max-p99 is 100 ms."]),
        (
            SERIAL,
            [
                "1.0 requests ran at a time, --min-overlap is 15.",
                "the p99 is 1.22 s, --max-p99 is 100 ms.",
                "another route waited 975 ms longer, --max-bystander is 50 ms.",
            ],
        ),
        (FAST, []),
        (FAILING, []),
    ],
)
def test_each_threshold(run: Run, breaches: list[str]) -> None:
    """Every limit that is broken is told with what was measured; failed requests break none."""
    (route,) = run.routes
    expected = [f"{route.method} {route.path}: {breach}" for breach in breaches]
    assert list(list_breaches(run, STRICT)) == expected


def test_computing_breaks_an_overlap_that_was_asked_for() -> None:
    """A route that only computes is no failure, unless an overlap was asked for by number."""
    (breach,) = list_breaches(COMPUTING, Thresholds(min_overlap=2))
    assert breach == "POST /report: 1.0 requests ran at a time, --min-overlap is 2."


def test_stack_in_question_counts() -> None:
    """Of two stacks, what came before is no failure."""
    only = replace(COMPARED, routes=COMPARED.routes[:1])
    assert not list(list_breaches(only, Thresholds(min_overlap=10)))
    assert not list(list_failed_verdicts(only))


def test_bystander_that_was_not_asked() -> None:
    """Where nobody asked another route, nothing is known of it."""
    (route,) = SERIAL.routes
    (measured,) = route.measured
    blind = replace(measured, load=replace(measured.load, pings=()))
    run = replace(SERIAL, routes=(replace(route, measured=(blind,)),))
    assert not list(list_breaches(run, Thresholds(max_bystander_ms=1)))
