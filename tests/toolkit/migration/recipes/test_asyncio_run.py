"""The recipe `asyncio-run`: the coroutine gives the same on the loop of the process."""

import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = """\
import asyncio


class OwnError(Exception):
    pass


async def fetch(number):
    await asyncio.sleep(0)
    if number < 0:
        raise OwnError(f"there is no {number}")
    return {"number": number}


async def fetch_both():
    return await asyncio.gather(fetch(1), fetch(2))


async def fetch_late():
    async with asyncio.timeout(0):
        await asyncio.Event().wait()
"""
BODIES = [
    "return asyncio.run(fetch(1))",
    "return asyncio.run(fetch(-1))",
    "return asyncio.run(fetch_both())",
    "return asyncio.run(fetch_late())",
    "return [asyncio.run(main=fetch(3))['number'], asyncio.run(asyncio.sleep(0, 'slept'))]",
]


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("asyncio-run", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("asyncio-run", SETUP, body).check_outside()
