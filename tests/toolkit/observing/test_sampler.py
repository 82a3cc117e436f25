"""How often the sampler looks."""

import pytest

from flasync.toolkit.observing.recording.sampler import INTERVAL_S, LOOKS_COMPARED, Pace


def test_cheap_looks() -> None:
    """Looks that cost next to nothing come one after each interval."""
    pace = Pace()
    assert [pace.choose_pause(0.000_001) for _ in range(3)] == [INTERVAL_S] * 3


def test_expensive_looks() -> None:
    """Looks that go on being expensive come so seldom that they take 4 % of the time."""
    pace = Pace()
    pauses = [pace.choose_pause(0.002) for _ in range(LOOKS_COMPARED + 2)]
    assert pauses[LOOKS_COMPARED - 1 :] == [pytest.approx(0.05)] * 3


def test_first_looks() -> None:
    """Looks at code that has just been imported are followed by others as soon as ever."""
    pace = Pace()
    assert [pace.choose_pause(0.03) for _ in range(LOOKS_COMPARED - 1)] == [INTERVAL_S] * (
        LOOKS_COMPARED - 1
    )


def test_some_expensive_looks() -> None:
    """Looks in which the garbage collector ran change nothing, all but one in a row of them."""
    pace = Pace()
    costs_s = [0.000_001] * LOOKS_COMPARED + [0.03] * (LOOKS_COMPARED - 1) + [0.000_001]
    assert [pace.choose_pause(cost_s) for cost_s in costs_s] == [INTERVAL_S] * len(costs_s)


def test_cheap_looks_after_expensive_ones() -> None:
    """A single cheap look ends the long pauses."""
    pace = Pace()
    for _ in range(LOOKS_COMPARED):
        pace.choose_pause(0.03)
    assert pace.choose_pause(0.000_001) == INTERVAL_S
