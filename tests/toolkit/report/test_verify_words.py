"""`report.verify_words`: what the reports of a verification say before any figure."""

from dataclasses import replace

from tests.toolkit.verifying.sample_runs import RUNS

from flasync.toolkit.report.verify_words import list_findings
from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import Run

COMPARED = RUNS["compared"]


def say(run: Run) -> str:
    """The findings as one text."""
    return " ".join(list_findings(run))


def test_the_bystander_of_both() -> None:
    """By how much each stack kept another route waiting is said, the new one first."""
    before, after = (
        max(route.measured[stack].judgement.bystander_ms for route in COMPARED.routes)
        for stack in (0, -1)
    )
    assert before != after
    sentence = f"wait {format_ms(after)} longer at worst instead of {format_ms(before)}."
    assert sentence in say(COMPARED)


def test_without_a_bystander() -> None:
    """Where none was asked, nothing is said of it."""
    routes = tuple(
        replace(
            route,
            measured=tuple(
                replace(measured, load=replace(measured.load, pings=()))
                for measured in route.measured
            ),
        )
        for route in COMPARED.routes
    )
    assert "Another route" not in say(replace(COMPARED, routes=routes))


def test_one_stack() -> None:
    """A run that compares nothing has nothing to add."""
    assert say(RUNS["overlapping"]) == ""
