"""What tests came to: one run's record, the comparison of two, and the checked-in differences.

Nothing here runs a command or knows where a suite comes from.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ABSENT = "absent"
"""The outcome of a test that the other run had and this one did not."""
# A parameter's id may hold an object's address, which differs from process to process.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


@dataclass(frozen=True, slots=True)
class Record:
    """One run of a suite: what the plugin wrote.

    ``outcomes`` maps a test id to a word such as "passed"; ``details`` maps the id of a test that
    went wrong to pytest's account of it. ``bridged`` and ``direct`` count the requests that the
    run's test clients sent through the ASGI path and straight to a WSGI application. ``stalls`` is
    what flasync's guard said of code that held the loop.
    """

    outcomes: dict[str, str]
    details: dict[str, str] = field(default_factory=dict)
    bridged: int = 0
    direct: int = 0
    seconds: float = 0.0
    stalls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A test that comes to something else through flasync than it does without.

    ``threaded`` is what it comes to without flasync when its requests are served by another thread
    than the test's, as any threaded WSGI server does. It is no part of the identity.
    """

    suite: str
    lane: str
    test: str
    stock: str
    flasync: str
    threaded: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A difference of the checked-in list, and why it is right that it is there.

    ``threaded`` says that the test must differ in the same way in another thread without flasync.
    """

    difference: Difference
    reason: str
    threaded: bool = False


def parse_record(data: Mapping[str, object]) -> Record:
    """A `Record` from the plugin's JSON, with the addresses in test ids made equal."""
    values = dict(data)
    for key in ("outcomes", "details"):
        table = values.get(key) or {}
        values[key] = {_ADDRESS.sub("0x0", test): word for test, word in table.items()}  # type: ignore[attr-defined]  # the plugin writes objects
    values["stalls"] = tuple(values.get("stalls") or ())  # type: ignore[arg-type]  # a list of them
    return Record(**values)  # type: ignore[arg-type]  # a wrong key raises


def find_differing(stock: Record, flasync: Record) -> list[str]:
    """The ids of the tests whose outcomes are not the same, sorted."""
    tests = stock.outcomes.keys() | flasync.outcomes.keys()
    return sorted(
        test
        for test in tests
        if stock.outcomes.get(test, ABSENT) != flasync.outcomes.get(test, ABSENT)
    )


def is_flaky(test: str, stock: Iterable[Record], flasync: Iterable[Record]) -> bool:
    """Whether a test that differed has shown, over several runs, that it does so by chance.

    It has when the stock runs disagree with each other, or when any pair of runs agrees.
    """
    stock_words = [record.outcomes.get(test, ABSENT) for record in stock]
    flasync_words = [record.outcomes.get(test, ABSENT) for record in flasync]
    agree = any(a == b for a, b in zip(stock_words, flasync_words, strict=True))
    return agree or len(set(stock_words)) > 1


def count_outcomes(record: Record) -> str:
    """Such as "480 passed, 3 skipped", the most frequent first; "none" without a test."""
    counts = Counter(record.outcomes.values()).most_common()
    return ", ".join(f"{number} {word}" for word, number in counts) or "none"


def read_known(path: Path) -> list[Known]:
    """The checked-in differences.

    Raises:
        ValueError: when one has no reason.
    """
    known = []
    for entry in tomllib.loads(path.read_text()).get("difference", []):
        reason = " ".join(entry.pop("reason", "").split())
        if not reason:
            raise ValueError(f"{path.name}: {entry!r} has no reason: write why it may differ")
        threaded, tests = entry.pop("threaded", False), entry.pop("tests")
        known += [Known(Difference(**entry, test=test), reason, threaded) for test in tests]
    return known


def match_known(
    found: Iterable[Difference], known: Iterable[Known], ran: Iterable[tuple[str, str]]
) -> tuple[list[Difference], list[Known]]:
    """The differences that are not listed, and the listed ones that are gone.

    ``ran`` holds the (suite, lane) pairs of this run: of the others nothing is known, so their
    listed differences are not called gone.
    """
    found_set, listed, ran_set = set(found), list(known), set(ran)
    entries = {entry.difference: entry for entry in listed}
    unlisted = [
        difference
        for difference in sorted(found_set)
        if difference not in entries
        or (entries[difference].threaded and difference.threaded != difference.flasync)
    ]
    gone = [
        entry
        for entry in listed
        if (entry.difference.suite, entry.difference.lane) in ran_set
        and entry.difference not in found_set
    ]
    return unlisted, gone
