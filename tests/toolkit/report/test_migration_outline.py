"""The steps of a migration: each change once, and short ones together."""

from dataclasses import replace

from flasync.toolkit.migration.outcome import Status
from flasync.toolkit.report.migration_outline import (
    describe_change,
    fold_steps,
    list_migration_steps,
)
from toolkit.report.migrated_shop import ADMIN, AWAITED, HELPER, PLANNED, SMTP, WRITTEN


def test_each_change_is_told_once() -> None:
    """A change that two steps share stands under the first, and is counted under the second."""
    steps = {step.outcome.stage.id: step for step in list_migration_steps(PLANNED)}
    first, second = steps["route:GET, POST /order"], steps["route:POST /pay"]
    assert (len(first.lines), first.repeated) == (5, 0)
    assert [line.what for line in second.lines] == ["async def pay"]
    assert second.repeated == 3


def test_change_of_an_undone_step_is_told_again() -> None:
    """What was undone was not made: the next step that makes it has the line."""
    steps = {step.outcome.stage.id: step for step in list_migration_steps(WRITTEN)}
    assert len(steps["route:POST /pay"].lines) == 4


def test_short_steps_are_folded() -> None:
    """Three or more in a row that only change their view are one group; others stand alone."""
    groups = [
        [step.number for step in group] for group in fold_steps(list_migration_steps(PLANNED))
    ]
    assert groups == [[1], [2], [3], [4, 5, 6, 7]]


def test_few_or_different_steps_are_not_folded() -> None:
    """Two are none of a crowd, and planned ones are not mixed with others."""
    outcomes = PLANNED.outcomes[:-1]
    outcomes = (*outcomes[:-1], replace(outcomes[-1], status=Status.APPLIED))
    steps = list_migration_steps(replace(PLANNED, outcomes=outcomes))
    assert [len(group) for group in fold_steps(steps)] == [1] * 6


def test_committed_steps_are_not_folded() -> None:
    """Each commit is named."""
    outcomes = tuple(replace(outcome, commit="0123") for outcome in PLANNED.outcomes)
    steps = list_migration_steps(replace(PLANNED, outcomes=outcomes))
    assert all(len(group) == 1 for group in fold_steps(steps))


def test_words_of_changes() -> None:
    """A line has the place, what is done, and the reason as a sentence unless it is plain."""
    line = describe_change(SMTP)
    assert (line.place, line.what) == ("shop/mail.py:20", "offload deliver")
    assert line.reason == "It waits in `smtplib.SMTP(…)`."
    assert describe_change(HELPER).what == "async def send"
    assert describe_change(HELPER).reason == "It awaits, and all who call it can await it."
    assert describe_change(AWAITED).what == "await shop.mail.send"
    assert describe_change(AWAITED).reason == ""
    marked = describe_change(ADMIN.changes[0])
    assert marked.what == "@on_loop admin"
    assert marked.reason == "`login_required` looks at its result."


def test_other_tests_are_counted() -> None:
    """The reason names the first test that turned red, and how many others did."""
    (undone,) = (step for step in list_migration_steps(WRITTEN) if step.outcome.tests)
    assert undone.reason == (
        "It turned tests/test_a.py::test_a red: assert 1. So did 1 other test."
    )
