"""How often the sampler looks."""

import pytest

from flasync.toolkit.observing.recording.sampler import INTERVAL_S, Pace


def test_cheap_looks() -> None:
    """Looks that cost next to nothing come one after each interval."""
    pace = Pace()
    assert [pace.choose_pause(0.000_001) for _ in range(3)] == [INTERVAL_S] * 3


def test_expensive_looks() -> None:
    """Looks that go on being expensive come so seldom that they take 4 % of the time."""
    pace = Pace()
    pauses = [pace.choose_pause(0.002) for _ in range(3)]
    assert pauses[1:] == [pytest.approx(0.05)] * 2


def test_one_expensive_look() -> None:
    """A look in which the garbage collector ran is followed by another as soon as ever."""
    pace = Pace()
    assert [pace.choose_pause(cost_s) for cost_s in (0.000_001, 0.03, 0.000_001)] == [
        INTERVAL_S
    ] * 3
