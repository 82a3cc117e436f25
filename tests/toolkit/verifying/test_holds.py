"""`verifying.holds`: where requests spent their time."""

import pytest
from tests.toolkit.verifying.loads import build_load, build_request

from flasync.toolkit.verifying.holds import count_let_in, count_most_waiting, find_holds
from flasync.toolkit.verifying.run import Mark, Phase


def test_places_are_added_up() -> None:
    """What several requests spent at one place is one hold, the longest first."""
    load = build_load(
        10,
        build_request(
            0,
            30,
            Mark(Phase.LOOP, 0, 5, "app.py:3", "json.dumps", cpu_ms=4),
            Mark(Phase.AWAITING, 5, 30, "app.py:4", "lock.acquire", limit="lock"),
        ),
        build_request(0, 40, Mark(Phase.LOOP, 5, 12, "app.py:3", "json.dumps", cpu_ms=6)),
    )
    waiting, computing = find_holds(load)
    assert (waiting.phase, waiting.total_ms, waiting.limit) == (Phase.AWAITING, 25, "lock")
    assert (computing.total_ms, computing.longest_ms, computing.requests) == (12, 7, 2)
    assert computing.cpu_ms == 10


def test_nothing_was_marked() -> None:
    """Without marks there are no holds, and nobody is known to have waited."""
    load = build_load(10, build_request(0, 30))
    assert find_holds(load) == ()
    assert count_most_waiting(load) == 0


@pytest.mark.parametrize(
    ("phase", "place", "most"),
    [
        (Phase.AWAITING, "app.py:3", 2),
        (Phase.AWAITING, "", 0),
        (Phase.THREAD, "app.py:3", 0),
        (Phase.LOOP, "app.py:3", 0),
    ],
)
def test_waiting_at_the_same_time(phase: Phase, place: str, most: int) -> None:
    """Waits that touch are not at the same time; who holds a thread may wait for its turn."""
    spans = [(0.0, 10.0), (5.0, 15.0), (15.0, 25.0)]
    requests = [build_request(*span, Mark(phase, *span, place)) for span in spans]
    assert count_most_waiting(build_load(10, *requests)) == most


def test_how_many_are_let_in() -> None:
    """The level that lasts counts, not the moment at which one comes in while another leaves."""
    at_limit = {"place": "app.py:3", "call": "pool.acquire"}
    requests = [
        build_request(
            0,
            end,
            Mark(Phase.AWAITING, 0, start, **at_limit),
            Mark(Phase.AWAITING, start, end, "app.py:4", "connection.execute"),
        )
        for start, end in ((0, 100), (0, 101), (100, 200), (100, 200))
    ]
    load = build_load(100, *requests)
    limit = next(hold for hold in find_holds(load) if hold.place == "app.py:3")
    assert count_most_waiting(load) > count_let_in(load, limit) == 2
    assert count_let_in(build_load(100, build_request(0, 100)), limit) == 0
