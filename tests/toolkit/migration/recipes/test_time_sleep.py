"""The recipe `time-sleep`: the pause ends the same, and others run meanwhile."""

import asyncio

import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = "import time\n"
BODIES = [
    "return time.sleep(0.01)",
    "return time.sleep(0)",
    "return time.sleep(True)",
]


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("time-sleep", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("time-sleep", SETUP, body).check_outside()


async def test_others_run(round_trip: RoundTrip) -> None:
    """Of two pauses that begin together the shorter one ends first."""
    pause = round_trip(
        "time-sleep",
        "import time\n\nends = []\nleft = [0.05, 0]\n",
        """
    seconds = left.pop(0)
    time.sleep(seconds)
    ends.append(seconds)
    """,
    ).new
    await asyncio.gather(pause["ask_async"](), pause["ask_async"]())
    assert pause["ends"] == [0, 0.05]
