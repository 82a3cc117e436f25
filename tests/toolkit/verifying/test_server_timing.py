"""`verifying.server_timing`: the header, built and read."""

import pytest

from flasync.toolkit.verifying.run import Mark, Phase
from flasync.toolkit.verifying.server_timing import (
    build_marks,
    build_server_timing,
    parse_server_timing,
)


def test_phases_in_their_order() -> None:
    """Each phase has its milliseconds, in the order given; one that took no time is left out."""
    totals = {Phase.QUEUED: 1.2, Phase.LOOP: 3.4, Phase.THREAD: 0.0, Phase.AWAITING: 200.14}
    assert build_server_timing(totals) == "queued;dur=1.2, loop;dur=3.4, awaiting;dur=200.1"


def test_nothing_to_tell() -> None:
    """A request that took no time has an empty header."""
    assert build_server_timing(dict.fromkeys(Phase, 0.0)) == ""


def test_what_the_app_sends() -> None:
    """The app's own metrics stay, in front."""
    own = 'db;dur=53;desc="a, b"'
    assert build_server_timing({Phase.LOOP: 1}, own) == f"{own}, loop;dur=1.0"
    assert build_server_timing({}, own) == own


def test_what_was_built_is_read() -> None:
    """Reading gives what was told."""
    totals = {phase: 10.5 + number for number, phase in enumerate(Phase)}
    assert parse_server_timing(build_server_timing(totals)) == totals


@pytest.mark.parametrize(
    ("value", "totals"),
    [
        ("", {}),
        ("loop", {}),
        ("loop;dur=x", {}),
        ("loop;dur=1.5.2", {Phase.LOOP: 1.5}),
        ("loop;dur=2", {Phase.LOOP: 2.0}),
        ('loop ; desc="it, runs" ; DUR="2.5"', {Phase.LOOP: 2.5}),
        ('db;desc="loop;dur=9, loop;dur=9", loop;dur=1', {Phase.LOOP: 1.0}),
        ("loop;duration=3, loops;dur=4, awaiting;dur=5", {Phase.AWAITING: 5.0}),
        (";;;,,=,loop;dur=1", {Phase.LOOP: 1.0}),
    ],
)
def test_headers_of_others(value: str, totals: dict[Phase, float]) -> None:
    """Foreign metrics, descriptions and nonsense are passed over."""
    assert parse_server_timing(value) == totals


def test_marks_of_a_header() -> None:
    """Where there is only a header, its phases follow one another up to the response's start."""
    assert build_marks({Phase.AWAITING: 5.0, Phase.LOOP: 2.0}, 17.0) == (
        Mark(Phase.LOOP, 10.0, 12.0),
        Mark(Phase.AWAITING, 12.0, 17.0),
    )
