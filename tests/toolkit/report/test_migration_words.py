"""The words of a migration's reports: what moved, what is proved, what to do next."""

from dataclasses import replace

import pytest

from flasync.toolkit.migration.outcome import StageOutcome, Status
from flasync.toolkit.report.migration_words import (
    build_migration_headline,
    describe_proof,
    group_left,
    list_migration_next,
    list_ways,
    start_sentence,
)
from toolkit.report.migrated_shop import APP, CART, PLANNED, WRITTEN


def test_headline() -> None:
    """It says how many of all routes move, and how many stay."""
    assert build_migration_headline(PLANNED) == (
        "5 of 15 routes of wsgi can move onto the event loop; 9 stay as they are."
    )
    one = replace(PLANNED, is_written=True, left=PLANNED.left[:1])
    assert build_migration_headline(one).endswith("moved onto the event loop; 1 stays as it is.")


def test_ways() -> None:
    """Every call counts once, and a URL or a client counts the routes that it frees."""
    assert [(number, way) for number, way, _ in list_ways(PLANNED)] == [
        ("2 calls", "rewrite"),
        ("5 routes", "bridge"),
        ("1 call", "offload"),
    ]


def test_proof() -> None:
    """It never says more than what was done."""
    assert describe_proof(PLANNED) == "Nothing was changed: this is what --write would do."
    assert describe_proof(WRITTEN) == (
        "Your tests ran before and after: all of the 12 tests that passed still pass;"
        " 1 test failed before as well."
    )
    untested = replace(WRITTEN, tests_passed=None)
    assert describe_proof(untested).startswith("No test was run")
    assert describe_proof(replace(untested, outcomes=())) == "Nothing was changed."


def test_reasons_are_grouped() -> None:
    """Routes that stay for one reason stand together, the most common first."""
    groups = group_left(PLANNED.left)
    assert [len(items) for _, _, items in groups] == [7, 1, 1]
    assert groups[1][:2] == ("It takes `lock`.", "Move the lock.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("it waits", "It waits."),
        ("It waits.", "It waits."),
        ("login_required hides it", "login_required hides it."),
        ("app.py cannot be read", "app.py cannot be read."),
        ("`x` waits", "`x` waits."),
        ("", "."),
    ],
)
def test_sentences(text: str, sentence: str) -> None:
    """The end of a sentence becomes one, and a name stays what it is."""
    assert start_sentence(text) == sentence


def test_next_of_a_plan() -> None:
    """The command that makes the changes names the app as the user did."""
    (step,) = list_migration_next(PLANNED, "shop:make()")
    assert step.commands == (
        "flasync migrate --app 'shop:make()' --write --install --test \"pytest -q\"",
    )
    assert list(list_migration_next(replace(PLANNED, outcomes=()), None)) == []


def test_next_of_what_is_written() -> None:
    """A route that can be asked for is verified, one without variables and that waits first."""
    commands = [
        step.commands for step in list_migration_next(replace(PLANNED, is_written=True), None)
    ]
    assert commands == [("git diff",), ("flasync verify /order",), ("flasync serve",)]
    committed = [step.commands for step in list_migration_next(WRITTEN, None)]
    assert committed == [("flasync serve",)]
    only = replace(WRITTEN, outcomes=(StageOutcome(APP, Status.PROVED),))
    assert list(list_migration_next(only, None)) == []
    simple = replace(WRITTEN, outcomes=(StageOutcome(CART, Status.PROVED),))
    assert ("flasync verify /cart",) in [
        item.commands for item in list_migration_next(simple, None)
    ]
