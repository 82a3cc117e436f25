"""The recipe `run-until-complete`: the coroutine gives the same on the loop of the process."""

import asyncio
from collections.abc import Iterator

import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = """\
import asyncio


async def fetch(number):
    await asyncio.sleep(0)
    if number < 0:
        raise LookupError(f"there is no {number}")
    return {"number": number}
"""
BODIES = [
    "return asyncio.new_event_loop().run_until_complete(fetch(1))",
    "return asyncio.new_event_loop().run_until_complete(fetch(-1))",
    "return asyncio.new_event_loop().run_until_complete(future=fetch(number=3))['number']",
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    result = loop.run_until_complete(fetch(1))
    asyncio.set_event_loop(loop)
    loop.close()
    return result
    """,
    """
    loop = asyncio.new_event_loop()
    result = loop.run_until_complete(fetch(-1))
    loop.close()
    return result
    """,
]


@pytest.fixture(autouse=True)
def _loops_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the loops that the old code makes and, as such code does, leaves open and set."""
    made: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def make_noted() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", make_noted)
    yield
    for loop in made:
        if not loop.is_running():
            loop.close()
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("run-until-complete", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("run-until-complete", SETUP, body).check_outside()
