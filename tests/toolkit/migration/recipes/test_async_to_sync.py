"""The recipe `async-to-sync`: the function gives the same when it is awaited."""

import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = """\
import asyncio
from contextvars import ContextVar
from functools import partial

from asgiref.sync import async_to_sync

language = ContextVar("language", default="en")


async def fetch(number, by=1):
    await asyncio.sleep(0)
    if number < 0:
        raise LookupError(f"there is no {number}")
    return number + by


async def choose(name):
    language.set(name)


class Shop:
    async def find(self, number):
        return await fetch(number)
"""
BODIES = [
    "return async_to_sync(fetch)(1)",
    "return async_to_sync(fetch)(-1)",
    "return async_to_sync(fetch)(*[1], **{'by': 2}) + async_to_sync(Shop().find)(2)",
    "return async_to_sync(partial(fetch, by=3))(1)",
    """
    async_to_sync(choose)("fr")
    return language.get()
    """,
]


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("async-to-sync", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("async-to-sync", SETUP, body).check_outside()
